// Keeps the note that is being written, in this tab only, until it is saved or the person signs out.
const note = document.getElementById("note");

try {
  const keep = () => sessionStorage.setItem("draft", note.value);
  // Whoever writes before this script has arrived has begun a note of their own: it stays.
  if (note.value) keep();
  else note.value = sessionStorage.getItem("draft") ?? "";
  note.addEventListener("input", keep);
  for (const form of document.forms) form.addEventListener("submit", () => sessionStorage.removeItem("draft"));
} catch {} // storage is blocked: the note is simply not kept
