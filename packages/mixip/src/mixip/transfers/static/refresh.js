// Takes the parts marked data-swap from a fresh copy of this page. What did not change stays the same node, so a film
// that is playing goes on.
import { fetchPage } from "./platform.js";

const UNREACHABLE = 5000; // milliseconds
const FACTS_AFTER = [1000, 2000, 3000, 5000, 10000, 20000, 30000];

let running = Promise.resolve();
let asked = null;
let looks = 0;
let looking = null;

/** One refresh at a time; one that is asked for meanwhile comes right after, so that it sees what came in between. */
export function takeNews() {
  asked ??= running.then(() => {
    asked = null;
    running = refresh();
    return running;
  });
  return asked;
}

/** Look again, less and less often, while the facts of a file are still being read. `anew`: soon again. */
export function lookForFacts({ anew = false } = {}) {
  clearTimeout(looking);
  if (anew) looks = 0;
  if (!document.querySelector("[data-pending]")) {
    looks = 0;
    return;
  }
  looking = setTimeout(() => {
    looks += 1; // only here: other news come in between
    takeNews();
  }, FACTS_AFTER[Math.min(looks, FACTS_AFTER.length - 1)]);
}

/** Leaves everything as it is when the session has ended, and tries again when the platform cannot be reached. */
async function refresh() {
  const page = await fetchPage(location.href);
  if (!page) setTimeout(takeNews, UNREACHABLE);
  const parts = [...document.querySelectorAll("[data-swap]")];
  const fresh = parts.map((part) => page?.querySelector(`[data-swap="${part.dataset.swap}"]`));
  // Copied, not adopted: a sound or film that was made in the other document was refused there, and would stay refused.
  if (fresh.every(Boolean)) parts.forEach((part, i) => swap(part, document.importNode(fresh[i], true)));
  document.dispatchEvent(new Event("mixip:refreshed"));
}

function swap(part, next) {
  const [list, nextList] = [part.querySelector("ul"), next.querySelector("ul")];
  if (!list || !nextList) return part.replaceChildren(...next.childNodes);
  merge(list, [...nextList.children]);
  part.querySelector(".pager")?.remove();
  const pager = next.querySelector(".pager");
  if (pager) part.append(pager);
}

/** Nodes that stay are never moved: moving a film stops it. */
function merge(list, fresh) {
  const keys = new Set(fresh.map((item) => item.dataset.key));
  for (const item of [...list.children]) if (!keys.has(item.dataset.key)) item.remove();
  const kept = new Map([...list.children].map((item) => [item.dataset.key, item]));
  let place = list.firstElementChild;
  for (const item of fresh) {
    const node = kept.get(item.dataset.key) ?? item;
    if (node === place) place = place.nextElementSibling;
    else list.insertBefore(node, place);
  }
}
