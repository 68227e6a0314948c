// The platform's answers as values: JSON, or a Problem (RFC 9457) that says whether trying again can help.

const STALLED = 60000; // without progress, milliseconds
const FORGERY_COOKIE = "__Host-mixip_csrf";

export class Problem extends Error {
  constructor({ status = 0, code = "", title = "", detail = "", action = "", missing = null, after = 0 }) {
    super(title || `The platform answered ${status}`);
    Object.assign(this, { name: "Problem", status, code, detail, action, missing, after });
  }

  /** The line or the platform failed, not the request: the same request may succeed later. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 ||
      (this.status >= 500 && this.status !== 501 && this.status !== 507);
  }

  get signedOut() {
    return this.status === 401 || (this.status === 403 && this.code.includes("csrf"));
  }
}

/** Read at each request: signing in again in another tab gives a new one. */
function forgeryToken() {
  const cookie = document.cookie.split("; ").find((pair) => pair.startsWith(`${FORGERY_COOKIE}=`));
  return cookie ? cookie.slice(FORGERY_COOKIE.length + 1) : "";
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** One request. Answers the parsed JSON (null without a body); throws Problem, or the signal's reason when aborted. */
export function ask(method, url, { body = null, json = null, headers = {}, signal, onSent = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const request = new XMLHttpRequest();
    let watch = null;
    const abort = () => request.abort();
    const alive = () => {
      clearTimeout(watch);
      watch = setTimeout(() => request.abort(), STALLED);
    };
    const end = () => {
      clearTimeout(watch);
      signal?.removeEventListener("abort", abort);
    };
    request.open(method, url);
    request.setRequestHeader("Accept", "application/json");
    if (method !== "GET") request.setRequestHeader("X-CSRF-Token", forgeryToken());
    if (json !== null) request.setRequestHeader("Content-Type", "application/json");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => {
      alive();
      onSent(event.loaded);
    });
    request.addEventListener("progress", alive);
    request.addEventListener("load", () => {
      end();
      if (request.status >= 200 && request.status < 300) {
        return resolve(request.responseText ? parsed(request.responseText) : null);
      }
      const after = Number(request.getResponseHeader("Retry-After")) * 1000 || 0;
      reject(new Problem({ ...parsed(request.responseText), status: request.status, after }));
    });
    request.addEventListener("error", () => { end(); reject(new Problem({ title: "Connection lost" })); });
    request.addEventListener("abort", () => {
      end();
      reject(signal?.aborted ? signal.reason : new Problem({ title: "Connection lost" }));
    });
    signal?.addEventListener("abort", abort, { once: true });
    alive();
    request.send(json === null ? body : JSON.stringify(json));
  });
}

/** A page of the platform as a document, to take parts from; scripts in it do not run. Null when nobody answers. */
export function fetchPage(url) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = "document";
    request.addEventListener("loadend", () => resolve(request.status > 0 && request.status < 500 ? request.response : null));
    request.send();
  });
}
