// One connection for all files: when a request is lost, everybody waits together, longer each time, and the browser's
// `online` event ends the wait at once.

const FIRST = 1000;
const LONGEST = 15000;

export class Connection extends EventTarget {
  #lost = 0; // losses in a row
  #until = 0;
  #timer = null;
  #waiting = [];
  reason = ""; // of the last loss, in words

  constructor() {
    super();
    addEventListener("online", () => this.retry());
  }

  /** A token to hand back to `lost`: many requests that fail together count as one loss. */
  get epoch() {
    return this.#lost;
  }

  get down() {
    return this.#timer !== null;
  }

  /** Milliseconds until the next try, 0 when the line is up. */
  wait(now) {
    return this.down ? Math.max(0, this.#until - now) : 0;
  }

  /** A request that started in `epoch` failed with `problem`, which may name a time to wait. */
  lost(epoch, problem) {
    if (this.down || epoch !== this.#lost) return;
    const backoff = Math.min(LONGEST, FIRST * 2 ** this.#lost) * (0.8 + 0.4 * Math.random());
    this.#lost += 1;
    this.#until = Date.now() + Math.max(backoff, problem.after);
    this.reason = problem.message;
    this.#timer = setTimeout(() => this.retry(), this.#until - Date.now());
    this.dispatchEvent(new Event("lost"));
  }

  /** Something came through. */
  works() {
    if (this.#lost === 0 || this.down) return;
    this.#lost = 0;
    this.dispatchEvent(new Event("back"));
  }

  /** End the wait now. */
  retry() {
    if (!this.down) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Resolves when a request may be tried. Rejects when `signal` is aborted. */
  ready(signal) {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (!this.down) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }
}
