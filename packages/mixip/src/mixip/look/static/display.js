// The only place that writes to the browser's storage, and only in the handler of the reader's own choice.
// "System" and the accent that comes with the platform are the absence of a choice, so they remove the key.
const CHOICES = {
  theme: { none: "system", values: ["light", "dark"] },
  accent: { none: "amber", values: ["red", "pink", "violet", "blue", "teal", "green", "plain"] },
};

const note = document.querySelector("[data-display-note]");

function choose(name, value) {
  const { none, values } = CHOICES[name];
  if (value !== none && !values.includes(value)) return;
  const root = document.documentElement;
  try {
    if (value === none) localStorage.removeItem(`mixip_${name}`);
    else localStorage.setItem(`mixip_${name}`, value);
  } catch {
    note.hidden = false; // it still holds for this page
  }
  if (value === none) delete root.dataset[name];
  else root.dataset[name] = value;
}

for (const name of Object.keys(CHOICES)) {
  const current = document.documentElement.dataset[name] ?? CHOICES[name].none;
  for (const radio of document.querySelectorAll(`input[type="radio"][name="${name}"]`)) {
    radio.disabled = false;
    radio.checked = radio.value === current;
    radio.addEventListener("change", () => choose(name, radio.value));
  }
}
