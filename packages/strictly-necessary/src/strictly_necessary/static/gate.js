  /* The gate: what needs consent, in the browser. It stands inside guard.js, and by its rules; gate.min.js is both.
   *
   * At each write it looks at the cookie with the choice, so a withdrawal in one tab holds in all of them. Beyond that it
   * only makes things pleasant: without it, the forms of the gate work all the same. */

  const doc = here.document;
  const { FormData, URLSearchParams, CustomEvent, setTimeout, cookieStore, caches, indexedDB } = here;
  const [cookieOf, textOf, keyOf, lengthOf, dropItem, databasesOf, deleteDatabase, closeDatabase, resultOf, cachesOf,
    deleteCache, rootOf, namesOf, dropEntry, registrationsOf, unregister, jsonOf, isOk, dispatch, prevent, submitterOf,
    actionOf, resubmit, closest, removeNode, contains, activeOf, find, make, append, attribute, setAttribute, hasAttribute,
    focus, say, styleOf, setStyle] = "Document.cookie Node.textContent Storage.key Storage.length Storage.removeItem IDBFactory.databases \
IDBFactory.deleteDatabase IDBDatabase.close IDBRequest.result CacheStorage.keys CacheStorage.delete \
StorageManager.getDirectory FileSystemDirectoryHandle.keys FileSystemDirectoryHandle.removeEntry \
ServiceWorkerContainer.getRegistrations ServiceWorkerRegistration.unregister Response.json Response.ok \
EventTarget.dispatchEvent Event.preventDefault SubmitEvent.submitter HTMLFormElement.action HTMLFormElement.requestSubmit \
Element.closest Element.remove Node.contains Document.activeElement Document.querySelector Document.createElement \
Node.appendChild Element.getAttribute Element.setAttribute Element.hasAttribute HTMLElement.focus Element.append \
HTMLElement.style CSSStyleDeclaration.setProperty"
    .split(" ").map(grab);
  const writeCookie = doc && describe(here.Document.prototype, "cookie").set;
  const signal = here.navigator.globalPrivacyControl;
  const storage = here.navigator.storage, workers = here.navigator.serviceWorker;
  const areaOf = (name) => {
    try { return doc && here[name]; } catch {}
  };
  const area = areaOf("localStorage"), tabArea = areaOf("sessionStorage");
  const quietly = (promise) => then(promise, null, () => {});
  const gated = rules.gated;

  // --- What is granted -------------------------------------------------------------------------------------------

  // The value of the cookie with the choice: VERSION:GRANTED:REFUSED, and :GRANTED by an account. Two are none.
  const chosen = () => {
    const pattern = /(?:^|;) *([^=;]*)=([^;]*)/g, text = doc ? cookieOf(doc) : "";
    let value = "", count = 0;
    for (let pair; (pair = exec(pattern, text)); ) if (pair[1] === rules.choice) { value = pair[2]; count++; }
    return count === 1 ? value : "";
  };
  const isAmong = (id, list) => {
    const pattern = /[^.]+/g;
    for (let found; (found = exec(pattern, list)); ) if (found[0] === id) return true;
    return false;
  };
  // A gated item is [id, the versions in which a yes to it holds].
  const answered = (item) => {
    const part = exec(/^([^:]*):([^:]*):([^:]*)(?::([^:]*))?$/, chosen());
    if (!part || signal || !isAmong(item[0], part[2] + "." + (part[4] || "")) || isAmong(item[0], part[3])) return false;
    for (let i = 0; i < item[1].length; i++) if (item[1][i] === part[1]) return true;
    return false;
  };

  // Whoever runs this has asked the server for it since the page was asked for, and that holds for some seconds. Then the
  // server is asked again, in good time while somebody writes, and else by the first write, which is refused. A clock that
  // was put back is no excuse.
  const most = 60000;
  let until = now() - here.performance.now() + rules.seconds * 1000, isOver = false, isAsking = false;
  const agree = (at, kind, name) => {
    const left = until - now();
    if (isOver || !answered(gated[at - rules.free])) refuse("SN336", kind, name);
    else if (left > most / 2 && left <= most) return;
    else {
      confirm();
      if ((left <= 0 || left > most) && rules.block)
        throw new DOMException(`Not confirmed yet, try again: ${kind} ${name} (SN336)`, "SecurityError");
    }
  };
  const confirm = () => {
    if (isAsking) return;
    isAsking = true;
    const begun = now(), end = () => { isAsking = false; };
    then(ask({ __proto__: null, cache: "no-store" }, (state) => { end(); learn(state, begun); }), null, end);
  };
  const ask = (options, then_) => {
    options.headers = { __proto__: null, accept: "application/json" };
    options.referrerPolicy = "no-referrer";
    return then(fetch(rules.ask, options), (response) => {
      if (!isOk(response)) throw 0;
      return then(jsonOf(response), then_);
    });
  };
  // What the server says. Under another version than this page knows, nothing more is written here.
  const learn = (state, begun) => {
    until = begun + state.seconds * 1000;
    if (state.version !== rules.version) isOver = true;
    const items = state.items;
    tidy((item) => {
      for (let i = 0; i < items.length; i++) if (items[i].id === item[0]) return items[i].answer === "granted";
      return false;
    });
    look();
  };

  // --- Files -----------------------------------------------------------------------------------------------------

  // A handle outlives its file, and to write through it would bring the file back. So each that is got by a name, and what
  // is got through it, is held to the name in the first level.
  const firsts = new WeakMap();
  const held = (found, self, name) => {
    const first = nameOrNothing(self) === "" ? name : getFrom(firsts, self);
    if (first === undefined) return found;
    defineProperty(found, "constructor", { __proto__: null, value: undefined }); // so that no page's species is asked
    then(found, (handle) => { putInto(firsts, handle, first); }, () => {});
    return found;
  };
  const checkFirst = (handle) => {
    const first = getFrom(firsts, handle);
    if (first !== undefined) check("opfs", first);
  };

  // --- Removing --------------------------------------------------------------------------------------------------

  const matches = (item, name) => {
    const declared = item[1], end = declared.length - 1;
    return name === declared || (declared[end] === "*" && startsWith(name, slice(declared, 0, end)));
  };
  const dropAll = (names, item, remove) => {
    for (let i = 0; i < names.length; i++) if (matches(item, names[i])) quietly(remove(names[i]));
  };
  const removers = {
    __proto__: null,
    cookie(item) {
      const pattern = /(?:^|;) *([^=;]*)=/g, text = cookieOf(doc);
      for (let pair; (pair = exec(pattern, text)); ) if (matches(item, pair[1]))
        apply(writeCookie, doc, [`${pair[1]}=; Max-Age=0; Path=${item[3]}${item[4] && "; Domain=" + item[4]}${item[6] && "; Secure"}${item[7] && "; Partitioned"}`]);
    },
    local: (item) => empty(area, item),
    session: (item) => empty(tabArea, item),
    async indexeddb(item) {
      const found = await databasesOf(indexedDB);
      for (let i = 0; i < found.length; i++) if (matches(item, found[i].name)) deleteDatabase(indexedDB, found[i].name);
    },
    async cache(item) { dropAll(await cachesOf(caches), item, (name) => deleteCache(caches, name)); },
    async opfs(item) {
      const root = await rootOf(storage), names = [];
      for await (const name of namesOf(root)) names[names.length] = name;
      dropAll(names, item, (name) => dropEntry(root, name, { __proto__: null, recursive: true }));
    },
    async "service-worker"(item) {
      const found = await registrationsOf(workers);
      for (let i = 0; i < found.length; i++) {
        const worker = found[i].active || found[i].waiting || found[i].installing;
        if (worker && matches(item, pathOf(new URL(worker.scriptURL)))) quietly(unregister(found[i]));
      }
    },
  };
  const empty = (raw, item) => {
    for (let i = lengthOf(raw); i--; ) {
      const name = keyOf(raw, i);
      if (matches(item, name)) dropItem(raw, name);
    }
  };
  const tidy = (keeps) => {
    for (let i = rules.free; i < rules.items.length; i++) if (!keeps(gated[i - rules.free])) {
      const item = rules.items[i];
      try { quietly(removers[item[0]](item)); } catch {}
    }
  };
  // A database cannot be deleted while some tab has it open.
  const opened = (request, name) => {
    for (let i = rules.free; i < rules.items.length; i++) if (rules.items[i][0] === "indexeddb" && matches(rules.items[i], name))
      listen(request, "success", () => {
        const database = resultOf(request);
        listen(database, "versionchange", () => closeDatabase(database));
      });
    return request;
  };

  // --- Telling the site's scripts --------------------------------------------------------------------------------

  let seen;
  const tell = () => {
    const granted = [];
    for (let i = 0; i < gated.length; i++) if (!isOver && answered(gated[i])) granted[granted.length] = gated[i][0];
    dispatch(here, new CustomEvent("cookieconsent", { __proto__: null, detail: { granted } }));
  };
  const look = () => {
    const value = chosen() + isOver;
    if (value === seen) return;
    seen = value;
    if (!isOver) tidy(answered);
    tell();
  };

  // --- The forms of the gate -------------------------------------------------------------------------------------

  let isPlain = false;
  const answer = (event, form) => {
    const section = closest(form, "[data-cookie-gate],[data-cookie-news]"), button = submitterOf(event);
    if (isPlain || !section || actionOf(form) !== slice(origin, 0, -1) + rules.ask) return;
    prevent(event);
    const begun = now(), body = new URLSearchParams(new FormData(form, button));
    then(ask({ __proto__: null, method: "POST", keepalive: true, body }, (state) => {
      learn(state, begun);
      leave(section, attribute(section, "data-cookie-said") || textOf(button));
    }), null, () => {
      isPlain = true;
      resubmit(form, button);
    });
  };
  // Takes the section away. Whoever was in it goes on at the page's own beginning, and hears what was answered.
  const leave = (section, said) => {
    const wasInside = contains(section, activeOf(doc)), status = make(doc, "p");
    setAttribute(status, "role", "status");
    setStyle(styleOf(status), "position", "absolute"); // there for those who hear the page
    setStyle(styleOf(status), "clip-path", "inset(50%)");
    append(find(doc, "body"), status);
    setTimeout(() => say(status, said), 100);
    setTimeout(() => removeNode(status), 10000);
    removeNode(section);
    if (!wasInside) return;
    const place = find(doc, "main") || find(doc, "h1") || find(doc, "body");
    if (!hasAttribute(place, "tabindex")) setAttribute(place, "tabindex", "-1");
    focus(place, { __proto__: null, preventScroll: true });
  };

  const begin = () => {
    if (!doc) return;
    look();
    listen(doc, "submit", (event) => answer(event, event.target), true);
    listen(doc, "visibilitychange", look);
    listen(doc, "DOMContentLoaded", tell);
    if (cookieStore) listen(cookieStore, "change", look);
  };

