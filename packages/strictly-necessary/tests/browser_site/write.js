/* Every way to write, for whatever realm this is loaded into. `tryAll` answers with what each way said: "ok", or the
 * name of the exception. */
(() => {
  const g = globalThis;
  const DECLARED = {
    cookie: "draft_1", local: "theme", session: "scroll", indexeddb: "works", cache: "pages-1",
    "service-worker": "/service-classic.js", opfs: "uploads",
  };
  const undeclared = (kind) => (kind === "service-worker" ? "/tracker.js" : "tracker");
  const settled = (request) => new Promise((done, failed) => {
    request.onsuccess = () => { request.result.close(); done(); };
    request.onerror = () => failed(request.error);
  });
  const WAYS = {};
  if (g.document) {
    const text = (name) => `${name}=1; Path=/; Secure; SameSite=Strict; Max-Age=60`;
    WAYS["cookie: setter"] = (name) => { document.cookie = text(name); };
    WAYS["cookie: setter of the prototype"] = (name) =>
      Object.getOwnPropertyDescriptor(Document.prototype, "cookie").set.call(document, text(name));
    WAYS["cookie: Reflect.set"] = (name) => { Reflect.set(document, "cookie", text(name)); };
    for (const kind of ["local", "session"]) {
      const area = () => g[`${kind}Storage`];
      WAYS[`${kind}: setItem`] = (name) => area().setItem(name, "dark");
      WAYS[`${kind}: property`] = (name) => { "use strict"; area()[name] = "dark"; };
      WAYS[`${kind}: sloppy property`] = (name) => { area()[name] = "dark"; };
      WAYS[`${kind}: defineProperty`] = (name) => Object.defineProperty(area(), name, { value: "dark" });
      WAYS[`${kind}: Reflect.set`] = (name) => { if (!Reflect.set(area(), name, "dark")) throw new Error("false"); };
      WAYS[`${kind}: Reflect.defineProperty`] = (name) => Reflect.defineProperty(area(), name, { value: "dark" });
      WAYS[`${kind}: assign`] = (name) => Object.assign(area(), { [name]: "dark" });
      WAYS[`${kind}: setItem of the prototype`] = (name) => Storage.prototype.setItem.call(area(), name, "dark");
      WAYS[`${kind}: getter of the window`] = (name) =>
        Object.getOwnPropertyDescriptor(g, `${kind}Storage`).get.call(g).setItem(name, "dark");
    }
    WAYS["service-worker: register"] = (name) =>
      navigator.serviceWorker.register(name, { scope: "/scope-classic/" });
    WAYS["service-worker: register of the prototype"] = (name) =>
      ServiceWorkerContainer.prototype.register.call(navigator.serviceWorker, new URL(name, document.baseURI), { scope: "/scope-classic/" });
  }
  if (g.cookieStore) {
    WAYS["cookie: CookieStore.set"] = (name) => cookieStore.set(name, "1");
    WAYS["cookie: CookieStore.set with options"] = (name) =>
      cookieStore.set({ name, value: "1", sameSite: "strict", expires: Date.now() + 60e3 });
    WAYS["cookie: CookieStore.set of the prototype"] = (name) => CookieStore.prototype.set.call(cookieStore, { name, value: "1" });
  }
  WAYS["indexeddb: open"] = (name) => settled(indexedDB.open(name));
  WAYS["indexeddb: open of the prototype"] = (name) => settled(IDBFactory.prototype.open.call(indexedDB, name, 1));
  WAYS["cache: open"] = async (name) => { await (await caches.open(name)).put("/x", new Response("x")); };
  WAYS["cache: open of the prototype"] = (name) => CacheStorage.prototype.open.call(caches, name);
  WAYS["opfs: directory"] = async (name) => { await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true }); };
  WAYS["opfs: deep in a directory"] = async (name) => {
    const directory = await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
    await directory.getFileHandle("anything", { create: true });
  };
  WAYS["opfs: file moved to the first level"] = async (name) => {
    const root = await navigator.storage.getDirectory();
    const directory = await root.getDirectoryHandle("uploads", { create: true });
    const file = await directory.getFileHandle("inner", { create: true });
    await file.move(directory, "other");
    if (name === "uploads") return;
    await file.move(root, name);
  };
  WAYS["opfs: file moved to the first level with its name"] = async (name) => {
    const root = await navigator.storage.getDirectory();
    const directory = await root.getDirectoryHandle("uploads", { create: true });
    const file = await directory.getFileHandle(name, { create: true });
    if (name === "uploads") return;
    await file.move(root);
  };
  WAYS["opfs: file renamed"] = async (name) => {
    const root = await navigator.storage.getDirectory();
    await root.removeEntry("uploads", { recursive: true }).catch(() => {});
    const file = await root.getFileHandle("uploads", { create: true });
    try { await file.move(name === "uploads" ? "uploads" : name); } finally { await root.removeEntry("uploads"); }
  };
  WAYS["opfs: file"] = async (name) => { await (await navigator.storage.getDirectory()).getFileHandle(name, { create: true }); };

  const said = async (way, name) => {
    try {
      await WAYS[way](name);
      return "ok";
    } catch (error) {
      return error.name;
    }
  };
  g.tryAll = async (without) => {
    const answers = {};
    for (const way of Object.keys(WAYS)) {
      const kind = way.split(":")[0];
      if (kind === without) continue;
      answers[way] = [await said(way, DECLARED[kind]), await said(way, undeclared(kind))];
    }
    return answers;
  };
  // As a worker, answer whoever asks.
  const answerTo = (port) => (event) => g.tryAll().then((answers) => port(event).postMessage(answers));
  if (g.DedicatedWorkerGlobalScope) g.onmessage = answerTo(() => g);
  if (g.SharedWorkerGlobalScope) g.onconnect = (event) => { event.ports[0].onmessage = answerTo(() => event.ports[0]); };
  if (g.ServiceWorkerGlobalScope) {
    g.onmessage = (event) => event.waitUntil(answerTo(() => event.source)(event));
  }
})();
