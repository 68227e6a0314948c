// Applies the reader's own choice of theme and accent before the first paint. It only reads: display.js is the one that
// writes, and without a choice nothing is stored and the system's setting holds. It also tells the styles that scripts
// run, so that words for those who have none are not shown.
(() => {
  document.documentElement.classList.add("scripted");
  const allowed = { theme: /^(?:dark|light)$/, accent: /^(?:red|pink|violet|blue|teal|green|plain)$/ };
  for (const name of ["theme", "accent"]) {
    let value = null;
    try {
      value = localStorage.getItem(`mixip_${name}`);
    } catch {
      return; // storage is blocked: the system's setting holds
    }
    if (value !== null && allowed[name].test(value)) document.documentElement.dataset[name] = value;
  }
})();
