// One line of the queue: shows a delivery and hands its buttons' clicks on.
import { bytesInWords, paceInWords, percent, timeInWords } from "./words.js";

const SHOWS_CONTINUED = 4000;

function line(text, kind = "") {
  const p = document.createElement("p");
  p.textContent = text;
  p.className = kind;
  return p;
}

function sendingLine(delivery, now, sendingSince) {
  const share = delivery.sent / delivery.size;
  const continued = delivery.continuedAt !== null && now - sendingSince < SHOWS_CONTINUED;
  const parts = [
    percent(share),
    `${bytesInWords(delivery.sent)} of ${bytesInWords(delivery.size)}`,
    paceInWords(delivery.meter, delivery.size - delivery.sent, now),
  ];
  const said = parts.filter(Boolean).join(", ");
  return continued ? `Continued at ${percent(delivery.continuedAt)}. Now ${said}` : said;
}

function statusLines(delivery, connection, now, sendingSince) {
  if (delivery.active && connection.down) {
    const wait = timeInWords(connection.wait(now) / 1000);
    return [line(`${connection.reason}. Trying again in ${wait}`, "problem")];
  }
  switch (delivery.state) {
    case "ready": return [line(`${bytesInWords(delivery.size)}, ready`)];
    case "waiting": return [line(`${bytesInWords(delivery.size)}, waiting for its turn`)];
    case "checking": return [line(`Comparing what has arrived: ${percent(delivery.sent / delivery.size)}`)];
    case "sending": return [line(sendingLine(delivery, now, sendingSince))];
    case "pausing": return [line(`Pausing… ${percent(delivery.sent / delivery.size)}`)];
    case "verifying": {
      const share = delivery.verified ? `: ${percent(delivery.verified / delivery.size)}` : "";
      return [line(`Checking every byte${share}`)];
    }
    case "delivered": return [line("Delivered", "done")];
    case "paused": return [line(`Paused at ${percent(delivery.size ? delivery.sent / delivery.size : 0)}`)];
    case "signed-out": return [line("Your session has ended. Sign in, and this file goes on where it stopped.", "problem")];
    default: return [line(delivery.problem.title, "problem"), line(delivery.problem.action)].filter((p) => p.textContent);
  }
}

export class Row {
  #parts = {};
  #shown = "";
  #sendingSince = 0;

  constructor(template, delivery, { signIn, act }) {
    this.delivery = delivery;
    this.element = template.content.firstElementChild.cloneNode(true);
    for (const name of ["name", "status", "bar", "sign-in", "again", "pause", "resume", "cancel"]) {
      this.#parts[name] = this.element.querySelector(`[data-${name}]`);
    }
    const id = `queued-${crypto.randomUUID()}`;
    this.#parts.name.id = id;
    this.#parts.name.textContent = delivery.name;
    this.#parts.bar.setAttribute("aria-labelledby", id);
    this.#parts["sign-in"].href = signIn;
    for (const button of this.element.querySelectorAll("button")) button.setAttribute("aria-describedby", id);
    for (const name of ["again", "pause", "resume", "cancel"]) {
      this.#parts[name].addEventListener("click", () => act(name, this));
    }
  }

  show(connection, now) {
    const { delivery } = this;
    if (delivery.state !== "sending") this.#sendingSince = now;
    const lines = statusLines(delivery, connection, now, this.#sendingSince);
    const text = lines.map((p) => p.textContent).join("\n");
    if (text !== this.#shown) this.#parts.status.replaceChildren(...lines);
    this.#shown = text;
    this.#parts.bar.value = delivery.size ? delivery.sent / delivery.size : 0;
    const visible = {
      "sign-in": delivery.state === "signed-out",
      again: (delivery.state === "stopped" && !delivery.hopeless) || (delivery.active && connection.down),
      pause: ["waiting", "checking", "sending"].includes(delivery.state),
      resume: ["pausing", "paused"].includes(delivery.state),
      cancel: !["verifying", "delivered"].includes(delivery.state),
    };
    const focused = document.activeElement;
    for (const [name, shown] of Object.entries(visible)) this.#parts[name].hidden = !shown;
    if (focused?.hidden && this.element.contains(focused)) this.element.querySelector("button:not([hidden])")?.focus();
    this.#parts.cancel.textContent = ["ready", "stopped"].includes(delivery.state) ? "Remove" : "Cancel";
  }
}
