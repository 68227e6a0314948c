// Rate and time left over a sliding window. Times are milliseconds and arrive as arguments.

const WINDOW = 8000;
const ENOUGH = 1000;

export class Meter {
  #samples = []; // [time, bytes so far], oldest first
  #sent = 0;

  /** Note that `bytes` more were sent. A repeated segment takes its bytes back with a negative number. */
  add(bytes, now) {
    this.#sent += bytes;
    const last = this.#samples.at(-1);
    if (last && now - last[0] < 100) last[1] = this.#sent;
    else this.#samples.push([now, this.#sent]);
    while (this.#samples.length > 2 && now - this.#samples[1][0] > WINDOW) this.#samples.shift();
  }

  /** Bytes per second over the window, or null while there is too little to say. */
  rate(now) {
    while (this.#samples.length > 1 && now - this.#samples[0][0] > 2 * WINDOW) this.#samples.shift();
    const first = this.#samples[0];
    if (!first || now - first[0] < ENOUGH) return null;
    return Math.max(0, ((this.#sent - first[1]) * 1000) / (now - first[0]));
  }

  /** Seconds until `bytes` more are sent at this rate, or null. */
  left(bytes, now) {
    const rate = this.rate(now);
    return rate ? bytes / rate : null;
  }

  /** Forget the past, after a pause or a lost connection. */
  restart() {
    this.#samples = [];
  }
}
