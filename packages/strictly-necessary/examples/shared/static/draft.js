// Keeps the note that is being written, in this tab only, until it is saved or the person signs out.
const note = document.getElementById("note");

try {
  note.value = sessionStorage.getItem("draft") ?? "";
  note.addEventListener("input", () => sessionStorage.setItem("draft", note.value));
  for (const form of document.forms) form.addEventListener("submit", () => sessionStorage.removeItem("draft"));
} catch {} // storage is blocked: the note is simply not kept
