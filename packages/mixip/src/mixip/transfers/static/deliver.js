// The delivering part of a work's page: files chosen or dropped become deliveries, and deliveries become lines.
import { Connection } from "./connection.js";
import { Delivery } from "./delivery.js";
import { Meter } from "./meter.js";
import { Queue } from "./queue.js";
import { lookForFacts, takeNews } from "./refresh.js";
import { Row } from "./row.js";
import { removeUnfinished, showUnfinished } from "./unfinished.js";
import { bytesInWords, paceInWords, percent } from "./words.js";

const FILES_AT_ONCE = 4;
const SEGMENTS_AT_ONCE = 4;
const BYTES_AT_ONCE = SEGMENTS_AT_ONCE * 64 * 2 ** 20;
const SHOW_EVERY = 250; // milliseconds
const NO_FOLDERS = "Folders are not delivered: drop the files in them.";

const root = document.querySelector("[data-deliver]");
const part = (name) => root.querySelector(`[data-${name}]`);
const [zone, start, note, queue, total, totalBar, list, announcer, template] =
  ["drop-zone", "start", "note", "queue", "total", "total-bar", "rows", "announce", "row"].map(part);
const input = root.querySelector('input[type="file"]');
const workId = document.querySelector("[data-work]").dataset.work;

const rows = new Set();
const shared = {
  workId,
  claimed: new Set(),
  files: new Queue(FILES_AT_ONCE),
  segments: new Queue(SEGMENTS_AT_ONCE, BYTES_AT_ONCE),
  connection: new Connection(),
  total: new Meter(),
};
const { connection } = shared;
const said = new Map(); // delivery: the last state that was announced
let arrivals = { files: 0, bytes: 0 }; // delivered and gone from the queue since it last rested

function say(text) {
  announcer.textContent = text;
}

function tell(text) {
  note.textContent = text;
  note.hidden = text === "";
}

function same(a, b) {
  return a.name === b.name && a.size === b.size && a.lastModified === b.lastModified;
}

function add(files) {
  const added = [];
  for (const file of files) {
    const queued = [...rows].some(({ delivery }) => same(delivery.file, file));
    if (queued) continue;
    const delivery = new Delivery(file, { ...shared, changed });
    const row = new Row(template, delivery, { signIn: `/sign-in?next=${encodeURIComponent(location.pathname)}`, act });
    rows.add(row);
    list.append(row.element);
    added.push(row);
  }
  show();
  return added;
}

function begin(some) {
  for (const { delivery } of some) delivery.start();
}

function forget(row) {
  const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
  if (row.element.contains(document.activeElement)) (next?.querySelector("button:not([hidden])") ?? input).focus();
  rows.delete(row);
  said.delete(row.delivery);
  row.element.remove();
  show();
}

async function act(name, row) {
  if (name === "pause") row.delivery.pause();
  else if (name === "cancel") {
    const { id } = row.delivery;
    forget(row);
    await row.delivery.cancel();
    shared.claimed.delete(id);
    say(`${row.delivery.name}: cancelled`);
  } else if (name === "again" && connection.down) connection.retry();
  else row.delivery.start();
}

function changed(delivery) {
  const { state } = delivery;
  if (said.get(delivery) === state) return;
  said.set(delivery, state);
  if (state === "sending" && delivery.continuedAt) say(`${delivery.name}: continued at ${percent(delivery.continuedAt)}`);
  if (state === "stopped") say(`${delivery.name}: ${delivery.problem.title}`);
  if (state === "signed-out") say("Your session has ended. Sign in to go on.");
  if (state === "delivered") {
    say(`${delivery.name}: delivered`);
    lookForFacts({ anew: true });
    takeNews();
  }
  show();
}

/** A delivered file leaves the queue when it is in the list. */
function clearArrived() {
  for (const row of rows) {
    const { state, fileId, size } = row.delivery;
    if (state !== "delivered" || !document.querySelector(`[data-file="${CSS.escape(fileId)}"]`)) continue;
    arrivals.files += 1;
    arrivals.bytes += size;
    forget(row);
  }
}

async function remove(item) {
  const trouble = await removeUnfinished(item);
  tell(trouble);
  if (trouble) return;
  say("Removed");
  input.focus();
}

function showTotal(now) {
  const deliveries = [...rows].map((row) => row.delivery).filter((delivery) => !delivery.hopeless);
  const size = deliveries.reduce((sum, delivery) => sum + delivery.size, arrivals.bytes);
  const sent = deliveries.reduce((sum, delivery) => sum + delivery.sent, arrivals.bytes);
  const sending = deliveries.filter((delivery) => delivery.active);
  const left = sending.reduce((sum, delivery) => sum + delivery.size - delivery.sent, 0);
  const files = deliveries.length + arrivals.files;
  const count = `${files} ${files === 1 ? "file" : "files"}`;
  const pace = left > 0 && !connection.down ? paceInWords(shared.total, left, now) : "";
  const text = sending.length > 0
    ? [`${count}, ${bytesInWords(sent)} of ${bytesInWords(size)}`, pace].filter(Boolean).join(", ")
    : `${count}, ${bytesInWords(size)}`;
  total.parentElement.hidden = files === 0;
  if (total.textContent !== text) total.textContent = text;
  totalBar.value = size ? sent / size : 0;
}

let ticking = null;
function show() {
  const now = Date.now();
  queue.hidden = rows.size === 0;
  for (const row of rows) row.show(connection, now);
  showTotal(now);
  showUnfinished(root, shared.claimed);
  const active = [...rows].some((row) => row.delivery.active);
  if (active) ticking ??= setInterval(show, SHOW_EVERY);
  else {
    clearInterval(ticking);
    ticking = null;
    arrivals = { files: 0, bytes: 0 };
    shared.total.restart();
  }
}

function chosen() {
  const files = [...input.files];
  input.value = ""; // so that the same file can be chosen again
  return accept(files);
}

function accept(files, message = "") {
  const added = add(files);
  if (files.length > 0) tell(message || (added.length === 0 ? "This is in the queue already." : ""));
  return added;
}

input.addEventListener("change", chosen);
start.addEventListener("click", () => {
  chosen();
  const waiting = [...rows].filter((row) => row.delivery.state === "ready");
  if (waiting.length === 0) tell("Choose files first, or drop them here.");
  begin(waiting);
});

let over = 0;
zone.addEventListener("dragenter", () => { over += 1; zone.classList.add("over"); });
zone.addEventListener("dragleave", () => { over -= 1; if (over === 0) zone.classList.remove("over"); });
for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); // a near miss must not leave the page
  });
}
zone.addEventListener("drop", (event) => {
  event.preventDefault();
  over = 0;
  zone.classList.remove("over");
  const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
  const files = items.filter((item) => !item.webkitGetAsEntry()?.isDirectory).map((item) => item.getAsFile());
  if (files.length < items.length) tell(NO_FOLDERS);
  begin(accept(files, files.length < items.length ? NO_FOLDERS : ""));
});

root.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove]");
  if (button) remove(button.closest("[data-delivery]"));
});

addEventListener("focus", () => begin([...rows].filter((row) => row.delivery.state === "signed-out")));
addEventListener("beforeunload", (event) => {
  if ([...rows].some((row) => ["waiting", "checking", "sending", "pausing"].includes(row.delivery.state))) event.preventDefault();
});
for (const name of ["lost", "back"]) {
  connection.addEventListener(name, () => {
    shared.total.restart();
    for (const { delivery } of rows) delivery.meter.restart();
    say(name === "lost" ? `${connection.reason}. Trying again.` : "Connected again.");
    show();
  });
}
document.addEventListener("mixip:refreshed", () => {
  clearArrived();
  showUnfinished(root, shared.claimed);
  lookForFacts();
});

if (globalThis.isSecureContext) {
  for (const control of [input, start]) control.disabled = false;
} else tell("Open the platform at its https address to deliver: browsers compute digests only on a safe connection.");
show();
lookForFacts();
