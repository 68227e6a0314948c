// Does what a careless script would do, and shows what came of it.
const tries = {
  cookie: () => { document.cookie = "tracker=by-script; path=/"; },
  local: () => { localStorage.setItem("tracker", "by-script"); },
};

function line(list, text) {
  const item = document.createElement("li");
  item.textContent = text;
  list.append(item);
}

function tellKept() {
  const kept = document.getElementById("kept");
  for (const item of kept.querySelectorAll("[data-seen]")) item.remove();
  for (const pair of document.cookie.split("; ").filter(Boolean)) line(kept, `Cookie ${pair.split("=")[0]}, seen by a script`);
  for (const key of Object.keys(localStorage)) line(kept, `Local storage: ${key}`);
  for (const key of Object.keys(sessionStorage)) line(kept, `Session storage: ${key}`);
  if (!kept.children.length) line(kept, "Nothing.");
  for (const item of kept.children) if (!item.querySelector("code")) item.dataset.seen = "";
}

async function tellSaid() {
  const said = document.getElementById("said");
  const lines = await (await fetch("/break/said")).json();
  said.replaceChildren();
  for (const text of lines) line(said, text);
}

for (const button of document.querySelectorAll("[data-try]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    try {
      tries[button.dataset.try]();
    } catch {} // refused, as it should be: the guard tells the server why
    setTimeout(() => { tellSaid(); tellKept(); }, 300);
  });
}
tellKept();
