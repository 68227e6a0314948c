/* What an honest page does with its storage, and what it costs. */
globalThis.useEverything = async () => {
  const area = localStorage;
  const said = [];
  const is = (what, value) => { if (!value) said.push(what); };
  area.setItem("theme", "dark");
  area.note_1 = 7;
  area["note_2"] = "x";
  is("the same object", localStorage === area && area.constructor === Storage);
  is("instanceof", area instanceof Storage && Object.getPrototypeOf(area) === Storage.prototype);
  is("toString", String(area) === "[object Storage]");
  is("length", area.length === 3);
  is("getItem", area.getItem("note_1") === "7" && area.note_1 === "7" && area.getItem("no") === null);
  is("keys", Object.keys(area).sort().join() === "note_1,note_2,theme");
  is("key()", [0, 1, 2].map((i) => area.key(i)).sort()[2] === "theme");
  is("in", "theme" in area && !("no" in area) && Object.hasOwn(area, "theme"));
  is("JSON", JSON.parse(JSON.stringify(area)).theme === "dark" && { ...area }.note_2 === "x");
  let seen = 0;
  for (const key in area) seen += Object.hasOwn(area, key);
  is("for in", seen === 3);
  delete area.note_2;
  area.removeItem("note_1");
  is("removed", area.length === 1 && area.note_1 === undefined);
  const event = new StorageEvent("storage", { key: "theme", storageArea: area });
  is("StorageEvent", event.storageArea === area && event.key === "theme" && event instanceof StorageEvent);
  try {
    area.setItem("theme");
    is("one argument is too few");
  } catch (error) {
    is("TypeError", error instanceof TypeError);
  }
  document.cookie = "size=small; path=/; secure; samesite=strict";
  is("cookie", document.cookie === "size=small" && (await cookieStore.get("size")).value === "small");
  const worker = new Worker("/worker-classic.js");
  is("Worker", worker instanceof Worker);
  worker.terminate();
  const database = await new Promise((done) => {
    const request = indexedDB.open("works", 3);
    request.onupgradeneeded = () => request.result.createObjectStore("store");
    request.onsuccess = () => done(request.result);
  });
  is("IndexedDB", database.version === 3);
  database.close();
  area.clear();
  is("clear", area.length === 0);
  return said;
};
/* Microseconds for one call each. */
globalThis.measure = () => {
  const time = (f) => {
    let best = Infinity;
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      for (let i = 0; i < 5000; i++) f(i);
      best = Math.min(best, (performance.now() - start) / 5);
    }
    return best;
  };
  const box = document.body.appendChild(document.createElement("div"));
  return {
    setItem: time((i) => localStorage.setItem("note_1", i)),
    property: time((i) => { localStorage.note_1 = i; }),
    getItem: time(() => localStorage.getItem("note_1")),
    cookie: time((i) => { document.cookie = `draft_1=${i}; Path=/; Secure; SameSite=Strict`; }),
    appendChild: time(() => box.appendChild(document.createElement("i"))),
  };
};
/* What code does that was there before the guard: it keeps what it found. */
globalThis.keepOriginals = () => {
  const { set } = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  globalThis.writeAsBefore = () => set.call(document, "tracker=1; path=/");
};
/* Workers by code that no guard watches. */
globalThis.startWorkers = async () => {
  const policy = trustedTypes.createPolicy("strictly-necessary", { createScriptURL: (text) => text });
  const worker = new Worker(policy.createScriptURL("/worker-attack.js"));
  const register = (address) =>
    navigator.serviceWorker.register(policy.createScriptURL(address)).then(() => "ran", () => "refused");
  return [
    await new Promise((done) => {
      worker.onmessage = () => done("ran");
      worker.onerror = () => done("refused");
    }),
    await register("/service-plain.js"),
    await register("/tracker.js?strictly-guard=classic"),
  ];
};
