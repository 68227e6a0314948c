// A link that looks and acts like a button answers to the space bar too, as buttons do.
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || !(event.target instanceof HTMLAnchorElement)) return;
  if (event.target.getAttribute("role") !== "button") return;
  event.preventDefault();
  event.target.click();
});
