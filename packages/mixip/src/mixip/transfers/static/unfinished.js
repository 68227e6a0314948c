// The deliveries that were begun and are not sent from this page now.
import { ask, Problem } from "./platform.js";
import { takeNews } from "./refresh.js";

/** Show each, unless this page sends it already (its id is in `claimed`). */
export function showUnfinished(root, claimed) {
  const box = root.querySelector("[data-unfinished]");
  if (!box) return;
  const items = [...box.querySelectorAll("[data-delivery]")];
  for (const item of items) {
    item.hidden = claimed.has(item.dataset.delivery);
    item.querySelector("[data-remove]").hidden = false;
  }
  box.hidden = items.every((item) => item.hidden);
}

/** Give one up. Answers what went wrong in words, or "". */
export async function removeUnfinished(item) {
  const button = item.querySelector("[data-remove]");
  button.disabled = true;
  try {
    await ask("DELETE", `/api/deliveries/${item.dataset.delivery}`);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status !== 404) {
      button.disabled = false;
      return [error.message, error.action].filter(Boolean).join(". ");
    }
  }
  item.remove();
  takeNews();
  return "";
}
