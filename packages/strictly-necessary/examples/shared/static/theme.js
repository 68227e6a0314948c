// The reader's own choice of a theme. It holds before the first paint, and is written only when somebody chooses.
(() => {
  const root = document.documentElement;
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {} // storage is blocked: the system's setting holds
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector(".theme").hidden = false;
    for (const radio of document.querySelectorAll("input[name=theme]")) {
      radio.checked = radio.value === (root.dataset.theme ?? "system");
      radio.addEventListener("change", () => choose(radio.value));
    }
  });

  function choose(theme) {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    try {
      if (theme === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", theme);
    } catch {} // it holds for this page
  }
})();
