// Takes the parts marked data-swap from a fresh copy of this page. What did not change stays the same node, so a film
// that is playing goes on.
import { fetchPage } from "./platform.js";

function merge(list, fresh) {
  const old = new Map([...list.children].map((item) => [item.dataset.key, item]));
  for (const item of fresh.children) {
    const kept = old.get(item.dataset.key);
    if (kept) item.replaceWith(kept);
  }
  list.replaceChildren(...fresh.children);
}

/** Resolves to false when the page could not be had, for instance because the session ended. */
export async function refresh() {
  const page = await fetchPage(location.href);
  const parts = [...document.querySelectorAll("[data-swap]")];
  const fresh = parts.map((part) => page?.querySelector(`[data-swap="${part.dataset.swap}"]`));
  if (!fresh.every(Boolean)) return false;
  parts.forEach((part, i) => {
    const next = document.adoptNode(fresh[i]);
    const lists = [part.querySelector("ul"), next.querySelector("ul")];
    if (lists.every(Boolean)) {
      merge(...lists);
      lists[1].replaceWith(lists[0]);
    }
    part.replaceChildren(...next.childNodes);
  });
  document.dispatchEvent(new Event("mixip:refreshed"));
  return true;
}
