/* Every way to write what needs consent, for whatever realm this is loaded into. `tryAll` answers with what each way said:
 * "ok", or the name of the exception. `told` are the items that the event named last. */
(() => {
  const g = globalThis;
  const settled = (request) => new Promise((done, failed) => {
    request.onsuccess = () => { g.database = request.result; done(); };
    request.onerror = () => failed(request.error);
  });
  const WAYS = {};
  if (g.document) {
    g.told = [];
    g.events = 0;
    g.addEventListener("cookieconsent", (event) => { g.told = event.detail.granted; g.events++; });
    WAYS.setter = () => {
      document.cookie = "counter=1; Path=/; Secure; SameSite=Strict; Max-Age=600";
      if (!/(^|; )counter=/.test(document.cookie)) throw new DOMException("ignored", "SecurityError");
    };
    WAYS.local = () => localStorage.setItem("player_1", "1");
    WAYS.session = () => { sessionStorage.tab = "1"; };
    WAYS.worker = () => navigator.serviceWorker.register("/beacon.js", { scope: "/scope/" });
  }
  if (g.cookieStore) WAYS.cookieStore = () =>
    cookieStore.set({ name: "counter", value: "1", sameSite: "strict", expires: Date.now() + 60e3 });
  WAYS.indexeddb = () => settled(indexedDB.open("events"));
  WAYS.cache = async () => (await caches.open("pixels-1")).put("/x", new Response("x"));
  WAYS.opfs = async () => (await navigator.storage.getDirectory()).getFileHandle("log", { create: true });
  g.tryAll = async (...without) => {
    const answers = {};
    for (const way of Object.keys(WAYS)) {
      if (without.includes(way)) continue;
      try {
        await WAYS[way]();
        answers[way] = "ok";
      } catch (error) {
        answers[way] = error.name;
      }
    }
    return answers;
  };
  g.askWorker = (type) => new Promise((done, failed) => {
    const worker = new g[type]("/write.js");
    worker.onerror = () => failed(new Error("the worker did not start"));
    const port = worker.port || worker;
    port.onmessage = (event) => done(event.data);
    port.postMessage("go");
  });
  const answerTo = (port) => (event) => g.tryAll().then((answers) => port(event).postMessage(answers));
  if (g.DedicatedWorkerGlobalScope) g.onmessage = answerTo(() => g);
  if (g.SharedWorkerGlobalScope) g.onconnect = (event) => { event.ports[0].onmessage = answerTo(() => event.ports[0]); };
})();
