// Times in the reader's own time zone, in the language around them; without this script they are in UTC and say so.
const formats = {};

function formatOf(time) {
  const language = time.closest("[lang]").lang;
  const locale = language === "en" ? "en-GB" : language;
  return (formats[locale] ??= new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short" }));
}

function translate() {
  for (const time of document.querySelectorAll('time[datetime*="T"]:not([title])')) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    time.title = time.textContent;
    time.textContent = formatOf(time).format(moment).replace(" at ", ", ");
  }
}

document.addEventListener("mixip:refreshed", translate);
translate();
