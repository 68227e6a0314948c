// Who may go on: a queue with a number of places and a budget of bytes, first come, first served. Every waiting file
// stands in it once, so files share the line in turn.

export class Queue {
  #waiting = [];
  #places;
  #budget;
  #taken = 0;
  #bytes = 0;

  /** At most `places` at once, and together at most `budget` bytes unless there is only one. */
  constructor(places, budget = Infinity) {
    this.#places = places;
    this.#budget = budget;
  }

  /** Wait for a place of `bytes`; answers the function that gives it back. Rejects when `signal` is aborted. */
  enter(signal, bytes = 0) {
    return new Promise((resolve, reject) => {
      const entry = { bytes, admit: null };
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
        reject(signal.reason);
        this.#admit();
      };
      if (signal.aborted) return reject(signal.reason);
      entry.admit = () => {
        signal.removeEventListener("abort", leave);
        let held = true;
        resolve(() => {
          if (!held) return;
          held = false;
          this.#taken -= 1;
          this.#bytes -= bytes;
          this.#admit();
        });
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(entry);
      this.#admit();
    });
  }

  #admit() {
    while (this.#waiting.length > 0 && this.#taken < this.#places) {
      const [next] = this.#waiting;
      if (this.#taken > 0 && this.#bytes + next.bytes > this.#budget) return;
      this.#waiting.shift();
      this.#taken += 1;
      this.#bytes += next.bytes;
      next.admit();
    }
  }
}
