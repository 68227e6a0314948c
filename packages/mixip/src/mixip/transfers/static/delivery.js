// One file on its way to a work. It knows the protocol and nothing about the page; it tells `changed` when there is
// something new to show. States: ready, waiting, checking, sending, pausing, verifying, delivered, paused, signed-out,
// stopped, cancelled.
import { contentDigest, cut, stillThere } from "./digest.js";
import { Meter } from "./meter.js";
import { ask, Problem } from "./platform.js";
import { bytesOf, deliveryFor, segmentsOf } from "./plan.js";

const ROUNDS = 5; // commits that find something missing before a person is asked
const REPEATS = 3; // of a segment that arrived damaged
const BETWEEN_LOOKS = [300, 700, 1000, 2000];
const CHANGED = {
  title: "The file can no longer be read",
  action: "It was changed, moved or renamed on your disk. Choose it again.",
};

const GONE = { title: "This delivery is gone", action: "It was cancelled elsewhere. “Try again” starts it anew." };
const HELD = new DOMException("No new segments", "AbortError"); // those under way are finished first

const pause = (milliseconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

export class Delivery {
  state = "ready";
  problem = null;
  hopeless = false; // refused for what the file is, so that trying again cannot help
  continuedAt = null; // share of the file that was there when it was started, 0 to 1
  verified = 0; // bytes that the platform has read back
  meter = new Meter();
  #id = null;
  #segments = [];
  #there = new Set(); // indexes that the platform has and that match this file
  #sending = new Map(); // index: bytes of it that are sent
  #stop = null;
  #hold = null;

  constructor(file, { workId, claimed, files, segments, connection, total, changed }) {
    Object.assign(this, { file, workId, claimed, files, segmentQueue: segments, connection, total, changed });
  }

  fileId = ""; // of the delivered file

  get id() { return this.#id; }
  get name() { return this.file.name; }
  get size() { return this.file.size; }
  get active() { return ["waiting", "checking", "sending", "pausing", "verifying"].includes(this.state); }
  get unfinished() { return this.active || ["paused", "signed-out", "stopped"].includes(this.state); }

  get sent() {
    if (this.state === "verifying" || this.state === "delivered") return this.size;
    let bytes = bytesOf(this.#segments, this.#there);
    for (const part of this.#sending.values()) bytes += part;
    return bytes;
  }

  /** Begin, or go on after a pause, a sign-in or a problem. Resolves when it rests again, in whatever state. */
  async start() {
    if (this.state === "pausing") return this.#become("sending"); // it goes on when it has come to rest
    if (this.active || this.state === "delivered") return;
    const stop = new AbortController();
    const { signal } = stop;
    this.#stop = stop;
    this.#hold = new AbortController();
    this.problem = null;
    this.continuedAt = null;
    this.meter.restart();
    this.#become("waiting");
    let leave = () => {};
    try {
      leave = await this.files.enter(signal);
      await this.#run(signal);
      this.#become("delivered");
    } catch (error) {
      stop.abort(error); // what is still on its way for this file ends with it
      if (this.#stop === stop) this.#rest(error); // otherwise it was started anew meanwhile
    } finally {
      leave();
    }
  }

  /** Start no more segments. Those under way are finished, so that nothing of them is lost; unless the line is down. */
  pause() {
    if (!this.active || this.state === "verifying") return;
    if (this.state !== "sending" || this.connection.down) return this.#halt("paused");
    this.#hold.abort(HELD);
    this.#become("pausing");
  }

  /** Give the file up, and what the platform has of it. */
  async cancel() {
    this.#halt("cancelled");
    if (this.#id === null) return;
    try {
      await this.#request("DELETE", `/api/deliveries/${this.#id}`, {}, new AbortController().signal);
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // what is left is removed by the platform after some days
    }
  }

  #halt(state) {
    this.#stop?.abort(new DOMException("Stopped", "AbortError"));
    this.#sending.clear();
    this.#become(state);
  }

  #become(state) {
    this.state = state;
    this.changed(this);
  }

  #rest(error) {
    this.#sending.clear();
    if (this.state === "paused" || this.state === "cancelled") return;
    if (error === HELD && this.state === "pausing") return this.#become("paused");
    if (error === HELD) {
      this.state = "paused";
      return this.start();
    }
    if (error instanceof Problem && error.signedOut) return this.#become("signed-out");
    if (error instanceof Problem && error.status === 404 && this.#id !== null) {
      this.#forget();
      this.problem = GONE;
    } else if (error instanceof Problem) {
      this.problem = { title: error.message, action: error.action || error.detail };
      this.hopeless = error.status === 422 && this.#id === null;
    } else if (error?.name === "NotReadableError" || error?.name === "NotFoundError") {
      this.problem = CHANGED;
      this.hopeless = true;
    } else {
      this.problem = { title: "Something went wrong in this page", action: "Reload it and choose the file again." };
      console.error(error);
    }
    this.#become("stopped");
  }

  #forget() {
    this.claimed.delete(this.#id);
    this.#id = null;
    this.#there.clear();
  }

  /** A request that is tried again for as long as the line or the platform is the trouble. */
  async #request(method, url, options, signal) {
    for (;;) {
      await this.connection.ready(signal);
      const { epoch } = this.connection;
      try {
        const answer = await ask(method, url, { ...options, signal });
        this.connection.works();
        return answer;
      } catch (error) {
        if (!(error instanceof Problem) || !error.passing) throw error;
        if (options.body) await stillThere(this.file); // a changed file looks like a lost connection
        options.onSent?.(0);
        if (this.state === "pausing") throw HELD;
        this.connection.lost(epoch, error);
      }
    }
  }

  async #run(signal) {
    let delivery = await this.#find(signal);
    for (let round = 0; round < ROUNDS; round += 1) {
      if (delivery.state === "open") {
        delivery = await this.#complete(delivery, signal);
      }
      delivery = await this.#verified(delivery, signal);
      if (delivery.state === "delivered") {
        this.fileId = delivery.file?.id ?? "";
        return;
      }
    }
    throw new Problem({ title: "The platform keeps losing parts of this file", action: "Try again later, or tell whoever runs it." });
  }

  /** Send what is missing and commit. Answers the delivery as it then is: it may have been finished elsewhere. */
  async #complete(delivery, signal) {
    try {
      await this.#check(delivery, signal);
      await this.#sendMissing(signal);
      return await this.#commit(signal);
    } catch (error) {
      if (!(error instanceof Problem && error.code === "delivery_closed")) throw error;
      return this.#request("GET", `/api/deliveries/${this.#id}`, {}, signal);
    }
  }

  async #find(signal) {
    if (this.#id !== null) return this.#request("GET", `/api/deliveries/${this.#id}`, {}, signal);
    const url = `/api/works/${this.workId}/deliveries`;
    const { deliveries } = await this.#request("GET", url, {}, signal);
    const found = deliveryFor(this.file, deliveries, this.claimed);
    if (found) this.claimed.add(found.id);
    const { name, size, lastModified } = this.file;
    const delivery = found ??
      await this.#request("POST", url, { json: { file_name: name, size, last_modified: lastModified } }, signal);
    this.#id = delivery.id;
    this.claimed.add(delivery.id);
    return delivery;
  }

  /** Which of the received segments are those of this file; the ones that this page sent are known to be. */
  async #check(delivery, signal) {
    this.#segments = segmentsOf(delivery.plan, this.size);
    const known = this.#there;
    this.#there = new Set();
    const unknown = [];
    for (const { index, digest } of delivery.received) {
      if (known.has(index)) this.#there.add(index);
      else unknown.push([index, digest]);
    }
    if (unknown.length > 0) {
      this.#become("checking");
      for (const [index, digest] of unknown) {
        signal.throwIfAborted();
        if ((await contentDigest(cut(this.file, this.#segments[index]))) === digest) this.#there.add(index);
        this.changed(this);
      }
    }
    if (this.#there.size > 0) this.continuedAt ??= bytesOf(this.#segments, this.#there) / this.size;
    this.#become("sending");
  }

  async #sendMissing(signal) {
    const onTheWay = new Set();
    const stopped = AbortSignal.any([signal, this.#hold.signal]);
    let failure = null;
    for (const segment of this.#segments) {
      if (this.#there.has(segment.index)) continue;
      const leave = await this.segmentQueue.enter(stopped, segment.length).catch((error) => { failure ??= error; });
      if (failure) {
        leave?.();
        break;
      }
      const sending = this.#send(segment, signal)
        .catch((error) => { failure ??= error; })
        .finally(() => { leave(); onTheWay.delete(sending); });
      onTheWay.add(sending);
    }
    await Promise.all(onTheWay);
    if (failure) throw failure;
    this.#hold.signal.throwIfAborted();
  }

  async #send(segment, signal) {
    const url = `/api/deliveries/${this.#id}/segments/${segment.index}`;
    const onSent = (bytes) => {
      const more = bytes - (this.#sending.get(segment.index) ?? 0);
      for (const meter of [this.meter, this.total]) meter.add(more, Date.now());
      this.#sending.set(segment.index, bytes);
      this.changed(this);
    };
    for (let repeat = 0; ; repeat += 1) {
      const body = cut(this.file, segment);
      const headers = { "Content-Digest": await contentDigest(body), "Content-Type": "application/octet-stream" };
      try {
        await this.#request("PUT", url, { body, headers, onSent }, signal);
        break;
      } catch (error) {
        if (!(error instanceof Problem && error.code === "digest_mismatch" && repeat < REPEATS)) throw error;
        onSent(0);
      }
    }
    onSent(segment.length);
    this.#sending.delete(segment.index);
    this.#there.add(segment.index);
  }

  async #commit(signal) {
    this.#become("verifying");
    try {
      return await this.#request("POST", `/api/deliveries/${this.#id}/commit`, {}, signal);
    } catch (error) {
      if (!(error instanceof Problem && error.code === "segments_missing")) throw error;
      return this.#request("GET", `/api/deliveries/${this.#id}`, {}, signal);
    }
  }

  async #verified(delivery, signal) {
    for (let look = 0; delivery.state === "verifying"; look += 1) {
      this.verified = delivery.verified_bytes;
      this.#become("verifying");
      await pause(BETWEEN_LOOKS[Math.min(look, BETWEEN_LOOKS.length - 1)], signal);
      delivery = await this.#request("GET", `/api/deliveries/${this.#id}`, {}, signal);
    }
    return delivery;
  }
}
