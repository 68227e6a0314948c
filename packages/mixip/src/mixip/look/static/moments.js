// Times in the reader's own time zone; without this script they are in UTC and say so.
const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" });

function translate() {
  for (const time of document.querySelectorAll('time[datetime*="T"]:not([title])')) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    time.title = time.textContent;
    time.textContent = format.format(moment).replace(" at ", ", ");
  }
}

document.addEventListener("mixip:refreshed", translate);
translate();
