// “Got it” without leaving the page: a delivery may be under way. Where the browser guard asks for consent it does this
// itself; without scripts the form does.
let isPlain = false;

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const section = form.closest(".policy-news");
  if (!section || isPlain || event.defaultPrevented) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
  } catch {
    isPlain = true;
    form.requestSubmit(event.submitter);
    return;
  }
  section.remove();
  document.querySelector("main").focus({ preventScroll: true });
});
