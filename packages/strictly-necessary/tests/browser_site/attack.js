/* Ways around the guard, by a script of our own origin that has read guard.js. Each tries to keep "tracker" somewhere,
 * or to take hold of something that would. What it throws does not matter; what the browser holds afterwards does. */
(() => {
  const g = globalThis;
  const store = (area) => { area.setItem("tracker", "1"); };
  const everything = (view) => {
    // Whatever this realm lets through.
    const attempts = [
      () => store(view.localStorage),
      () => { view.localStorage.tracker = "1"; },
      () => view.Storage.prototype.setItem.call(view.localStorage, "tracker", "1"),
      () => { view.document.cookie = "tracker=1; Path=/; Secure; SameSite=Strict"; },
      () => view.indexedDB.open("tracker"),
      () => view.caches.open("tracker"),
      () => view.navigator.storage.getDirectory().then((root) => root.getFileHandle("tracker", { create: true })),
    ];
    return Promise.allSettled(attempts.map(async (attempt) => attempt()));
  };
  const frame = (view = g) => view.document.createElement("iframe");
  const inserted = (insert) => async () => {
    // A frame with an address fires no event for the empty document that it has at first.
    const element = frame();
    element.src = "/slow";
    const before = g.length;
    insert(element);
    await everything(g[before]);
  };
  const host = () => document.body.appendChild(document.createElement("div"));
  const template = (element) => {
    const made = document.createElement("template");
    made.content.append(element);
    return made.content;
  };
  const within = (name, element) => {
    const made = document.createElement(name);
    made.append(element);
    return made;
  };
  const option = (element) => within("option", element);
  const leaks = [];
  const ATTACKS = {
    "delete localStorage": async () => { delete g.localStorage; await everything(g); },
    "take the setter of document.cookie": () => {
      for (const owner of [Document.prototype, HTMLDocument.prototype, document]) {
        const found = Object.getOwnPropertyDescriptor(owner, "cookie");
        if (found) found.set.call(document, "tracker=1; Path=/");
      }
    },
    "define localStorage anew": () => { Object.defineProperty(g, "localStorage", { get: () => ({}) }); },
    "define document.cookie anew": () => { Object.defineProperty(Document.prototype, "cookie", { set() {} }); },
    "write through an heir": () => {
      const heir = Object.create(localStorage);
      heir.tracker = "1";
      Reflect.set(localStorage, "tracker", "1", {});
      Object.setPrototypeOf({}, localStorage).tracker = "1";
    },
    "a getter that changes its answer": async () => {
      let asked = 0;
      const changing = { toString: () => (asked++ % 2 ? "tracker" : "note_1") };
      try { localStorage.setItem(changing, "1"); } catch {}
      try { localStorage.setItem(changing, "1"); } catch {}
      let read = 0;
      const options = { get name() { return read++ ? "tracker" : "draft_1"; }, value: "1" };
      await cookieStore.set(options).catch(() => {});
      const creating = { get create() { return read++ % 2; } };
      const root = await navigator.storage.getDirectory();
      for (let i = 0; i < 4; i++) await root.getFileHandle("tracker", creating).catch(() => {});
      await root.getFileHandle(changing, { create: true }).catch(() => {});
      await root.getFileHandle(changing, { create: true }).catch(() => {});
    },
    "removals that are none": async () => {
      const dates = [
        "Thu, 31 Feb 2000 00:00:00 GMT", "Mon, 01 Jan 1500 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT+9999",
        "Thu, 01 Jan 1970 99:00:00 GMT", "Thu, 1 Jan 1970 00:00:00 GMT", "yesterday", "0", "",
        "Thu, 01 Jan 1970 00:00:00 GMT; Expires=Thu, 01 Jan 2099 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", "Sun, 31 Apr 2000 00:00:00 GMT", "Thu, 01-Jan-70 00:00:00 GMT",
        `Dec, 31 Jan ${new Date().getUTCFullYear()} 00:00:00 GMT`, "Thu, 01 Jan 1970 00:00:60 GMT", "Thu, 01 Jan 1970 9:9:9999 GMT",
        "Thu, 01 Jan 1970 00000000 GMT", "Wed, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 1970 24:00:00 GMT",
      ];
      const kept = [];
      const look = (text) => { if (document.cookie.includes("tracker=")) kept.push(text); };
      for (const date of dates) {
        document.cookie = `tracker=1; Path=/; Expires=${date}`;
        look(date);
      }
      for (const age of ["-", "0x0", `${"0".repeat(1100)}`, "-1 day", "0; Max-Age=60", "+0", "0.5", " "]) {
        document.cookie = `tracker=1; Path=/; Max-Age=${age}`;
        look(age);
      }
      for (const expires of [-11644473600000, -1e300, -1, NaN, "x", undefined, null]) {
        await cookieStore.set({ name: "tracker", value: "1", expires }).catch(() => {});
        look(expires);
      }
      return kept;
    },
    "dates that nobody writes": () => {
      // Pieces that one reader takes for a day and another for a month or a time. The same ones each time.
      let seed = 7;
      const pick = (from) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return from[seed % from.length]; };
      const days = ["Thu", "Wed", "Fri", "_31", "31_", "1_1", "_1_", "Jan", "Feb", "999", "015", "utc", "Dec", "est", "_pm", "___"];
      const months = ["Jan", "Feb", "Apr", "Dec", "May", "feb", "FEB", "_31", "Fe_", "12_", "_02", "003", "_12"];
      const times = ["00:00:00", "24:00:00", "00000000", "::000000", "000:00:0", "00:0:000", "00:00:60", "00:60:00", "0:00:000",
        "12:30:::", "0:00:00:", "9:9:9999", "99:99:99"];
      const kept = [];
      for (let i = 0; i < 6000; i++) {
        const date = `${pick(days)}, ${pick(["01", "02", "03", "24", "30", "31"])}${pick(" -")}${pick(months)}${pick(" -")}` +
          `${pick([1970, 1971, 1999, 2000, 1601, 1700, new Date().getUTCFullYear()])} ${pick(times)} ${pick(["GMT", "UTC"])}`;
        document.cookie = `tracker=1; Path=/; Expires=${date}`;
        if (document.cookie.includes("tracker=")) {
          kept.push(date);
          document.cookie = "tracker=; Path=/; Max-Age=0";
        }
      }
      return kept;
    },
    "a Secure that browsers pass over": () => {
      document.cookie = `draft_1=bare; Path=/; Secure=${"x".repeat(1100)}; SameSite=Strict`;
      const insecure = Object.getOwnPropertyDescriptor(Document.prototype, "cookie").get.call(document);
      if (insecure.includes("draft_1=bare")) throw new Error("kept without Secure");
    },
    "names that read as others": async () => {
      for (const text of ["tracker", "=tracker", " tracker =1", "\ttracker=1", "\u00a0draft_1=1", "\u0000draft_1=1", "tracker\u0000=1",
        "Draft_1=1", "; draft_1=1", ";tracker=1", "tracker; draft_1=1", "tracker=1\ndraft_1=1", "name=tracker", ""]) {
        document.cookie = `${text}; Path=/; Secure; SameSite=Strict`;
      }
      for (const name of ["", "tracker=draft_1", "Draft_1"]) await cookieStore.set(name, "tracker=1").catch(() => {});
    },
    "poisoned prototypes": async () => {
      const saved = [];
      const poison = (owner, name, value) => {
        saved[saved.length] = [owner, name, getOwnPropertyDescriptor(owner, name)];
        defineProperty(owner, name, { value, configurable: true, writable: true });
      };
      const { getOwnPropertyDescriptor, defineProperty } = Object;
      const liar = function () { leaks[leaks.length] = this; return true; };
      const trap = (target) => { leaks[leaks.length] = target; return undefined; };
      const owners = [
        [Function.prototype, ["call", "apply", "bind"]], [Array.prototype, ["map", "push", "some", "includes", "forEach", "indexOf", Symbol.iterator]],
        [String.prototype, ["startsWith", "slice", "split", "indexOf", "trim", "toLowerCase", Symbol.iterator]],
        [RegExp.prototype, ["exec", "test", Symbol.match, Symbol.split]], [Map.prototype, ["get", "has", "set"]],
        [WeakMap.prototype, ["get", "has", "set"]], [Set.prototype, ["has", "add", "forEach", "size"]], [Date.prototype, ["getTime", "toUTCString"]],
        [Date, ["now", "parse"]], [JSON, ["stringify", "parse"]], [Reflect, ["apply", "construct", "get", "set", "defineProperty", "getOwnPropertyDescriptor"]],
        [URL.prototype, ["toString"]], [Error, ["prepareStackTrace"]],
      ];
      for (let i = 0; i < owners.length; i++) {
        for (let j = 0; j < owners[i][1].length; j++) poison(owners[i][0], owners[i][1][j], liar);
      }
      // From here on nothing but syntax is to be trusted.
      const words = ["get", "set", "has", "defineProperty", "apply", "construct", "path", "domain", "samesite", "secure", "create", "method", "name"];
      for (let i = 0; i < words.length; i++) defineProperty(Object.prototype, words[i], { __proto__: null, value: trap, configurable: true, writable: true });
      let refused = 0, passed = 0;
      try { localStorage.tracker = "1"; } catch { refused++; }
      try { localStorage.setItem("tracker", "1"); } catch { refused++; }
      try { indexedDB.open("tracker"); } catch { refused++; }
      try { document.cookie = "tracker=1; Path=/; Secure; SameSite=Strict"; } catch { refused++; }
      try { localStorage.setItem("note_1", "1"); passed++; } catch {}
      try { localStorage.note_2; localStorage.length; "x" in localStorage; passed++; } catch {}
      const element = document.createElement("iframe");
      document.body.appendChild(element);
      try { frames[0].localStorage.tracker = "1"; } catch { refused++; }
      try { frames[0].document.cookie = "tracker=1; Path=/"; } catch { refused++; }
      for (let i = 0; i < words.length; i++) delete Object.prototype[words[i]];
      for (let i = saved.length - 1; i >= 0; i--) {
        if (saved[i][2]) defineProperty(saved[i][0], saved[i][1], saved[i][2]);
        else delete saved[i][0][saved[i][1]];
      }
      for (const leak of leaks) {
        try { if (leak !== localStorage) leak.tracker = "1"; } catch {}
        try { Storage.prototype.setItem.call(leak, "tracker", "1"); } catch {}
      }
      localStorage.removeItem("note_1");
      return [refused, passed];
    },
    "the storage area of an event": async () => {
      document.body.append(frame());
      const event = await new Promise((done) => {
        addEventListener("storage", done);
        frames[0].localStorage.setItem("note_1", `${Date.now()}`);
      });
      if (event.storageArea !== localStorage) throw new Error("not the same storage");
      localStorage.removeItem("note_1");
      await everything({ __proto__: g, localStorage: event.storageArea });
      try { event.storageArea.tracker = "1"; } catch {}
    },
    "the frame's own window": async () => {
      const element = host().appendChild(frame());
      await everything(element.contentWindow);
      await everything(element.contentDocument.defaultView);
      await everything(frames[0]);
    },
    "the prototypes of a frame": async () => {
      document.body.append(frame());
      frames[0].Storage.prototype.setItem.call(localStorage, "tracker", "1");
    },
    "the setter of a frame, for this document": async () => {
      document.body.append(frame());
      Object.getOwnPropertyDescriptor(frames[0].Document.prototype, "cookie").set.call(document, "tracker=1; Path=/");
      await frames[0].CacheStorage.prototype.open.call(caches, "tracker");
    },
    "a frame in a shadow tree": async () => {
      const element = frame();
      host().attachShadow({ mode: "closed" }).append(element);
      await everything(element.contentWindow);
    },
    "a frame in a frame": async () => {
      const outer = host().appendChild(frame());
      outer.contentDocument.body.append(frame(outer.contentWindow));
      await everything(frames[0][0]);
      const other = frame();
      Node.prototype.appendChild.call(outer.contentDocument.body, other);
      await everything(outer.contentWindow[1]);
    },
    "a value for every object": async () => {
      const root = await navigator.storage.getDirectory();
      Object.prototype.value = () => "x";
      try { await root.getFileHandle("tracker", { create: true }); } finally { delete Object.prototype.value; }
    },
    "a rename by bent promises": async () => {
      const root = await navigator.storage.getDirectory();
      await root.removeEntry("uploads", { recursive: true }).catch(() => {});
      const file = await root.getFileHandle("uploads", { create: true });
      const bent = Promise.resolve(["a", "b"]), { constructor } = Promise.prototype;
      Promise.prototype.constructor = { [Symbol.species]: function (start) { start(() => {}, () => {}); return bent; } };
      try { file.move("tracker").catch(() => {}); } finally { Promise.prototype.constructor = constructor; }
      await new Promise((done) => setTimeout(done, 300));
      await root.removeEntry("uploads").catch(() => {});
    },
    "a window that throws when it is asked": async () => {
      for (const name of ["Array", "closed", "length", "IDBFactory", "trustedTypes"]) {
        Object.defineProperty(g, name, { get() { throw new Error(name); }, configurable: true });
      }
      Object.defineProperty(Object.prototype, 7, { get() { throw new Error("7"); }, configurable: true });
      host().append(frame());
      await everything(frames[0]);
      Object.defineProperty(frames[0], "Array", { get() { throw new Error("inner"); } });
      frames[0].document.body.append(frame(frames[0]));
      await everything(frames[0][0]);
      for (const view of [frames[0], frames[0][0]]) {
        try { view.trustedTypes.createPolicy("strictly-necessary", {}); } catch { continue; }
        return "the policy was there to be taken";
      }
    },
    "an old kind of frame in a shadow tree": async () => {
      const element = document.createElement("frame");
      host().attachShadow({ mode: "closed" }).append(element);
      await everything(element.contentWindow);
    },
    "a frame with a name": async () => {
      const element = frame();
      element.name = "inner";
      host().append(element);
      await everything(g.inner);
    },
    "a frame that is on its way elsewhere": async () => {
      const element = frame();
      element.src = "/slow";
      document.body.appendChild(element);
      await everything(frames[0]);
    },
    "document.open in a frame": async () => {
      document.body.append(frame());
      frames[0].document.open();
      frames[0].document.close();
      frames[0].document.append(frames[0].document.createElement("html"));
      await everything(frames[0]);
      frames[0].document.documentElement.append(frame(frames[0]));
      await everything(frames[0][0]);
    },
    "appendChild": inserted((e) => document.body.appendChild(e)),
    "insertBefore": inserted((e) => document.body.insertBefore(e, null)),
    "replaceChild": inserted((e) => document.body.replaceChild(e, document.getElementById("place"))),
    "append": inserted((e) => document.body.append("x", e)),
    "prepend": inserted((e) => document.body.prepend(e)),
    "before": inserted((e) => document.getElementById("place").before(e)),
    "after": inserted((e) => document.getElementById("place").after(e)),
    "before a text": inserted((e) => document.getElementById("place").firstChild.before(e)),
    "after the doctype": inserted((e) => { document.documentElement.remove(); document.doctype.after(e); }),
    "replaceWith": inserted((e) => document.getElementById("place").replaceWith(e)),
    "replaceChildren": inserted((e) => document.body.replaceChildren(e)),
    "replaceChildren of the document": inserted((e) => document.replaceChildren(e)),
    "insertAdjacentElement": inserted((e) => document.body.insertAdjacentElement("beforeend", e)),
    "a fragment": inserted((e) => document.body.append(template(e))),
    "a cloned template": inserted((e) => document.body.append(template(e).cloneNode(true))),
    "an imported template": inserted((e) => document.body.append(document.importNode(template(e), true))),
    "Range.insertNode": inserted((e) => { const range = new Range(); range.selectNodeContents(document.body); range.insertNode(e); }),
    "Range.surroundContents": inserted((e) => {
      document.body.append(e); // and then moved, which gives it a new document
      const range = new Range();
      range.selectNode(e);
      range.surroundContents(document.createElement("div"));
    }),
    "undoing": inserted((e) => {
      const box = host();
      box.contentEditable = "true";
      box.append("x", e, "y");
      box.focus();
      getSelection().selectAllChildren(box);
      document.execCommand("delete");
      document.execCommand("undo");
    }),
    "document.body =": inserted((e) => { const body = document.createElement("body"); body.append(e); document.body = body; }),
    "select.add": inserted((e) => host().appendChild(document.createElement("select")).add(option(e))),
    "options.add": inserted((e) => host().appendChild(document.createElement("select")).options.add(option(e))),
    "table.caption =": inserted((e) => { host().appendChild(document.createElement("table")).caption = within("caption", e); }),
    "table.tHead =": inserted((e) => { host().appendChild(document.createElement("table")).tHead = within("thead", e); }),
    "table.tFoot =": inserted((e) => { host().appendChild(document.createElement("table")).tFoot = within("tfoot", e); }),
    "a custom element beside it": async () => {
      let done;
      const reached = new Promise((resolve) => { done = resolve; });
      customElements.define("x-beside", class extends HTMLElement {
        connectedCallback() { everything(g[0]).then(done); }
      });
      const fragment = document.createDocumentFragment();
      fragment.append(frame(), document.createElement("x-beside"));
      document.body.append(fragment);
      await reached;
    },
    "a window above the others, by bent promises": async () => {
      const { constructor } = Promise.prototype;
      Promise.prototype.constructor = { [Symbol.species]: function () { throw new Error("bent"); } };
      let asked;
      try { asked = documentPictureInPicture.requestWindow(); } finally { Promise.prototype.constructor = constructor; }
      const view = await asked;
      await everything(view);
      view.close();
    },
    "open(about:blank)": async () => { const view = open("about:blank"); await everything(view); view.close(); },
    "open()": async () => { const view = open(); await everything(view); view.close(); },
    "document.open(address)": async () => { const view = document.open("about:blank", "x", ""); await everything(view); view.close(); },
    "the policy of a frame": async () => {
      document.body.append(frame());
      frames[0].trustedTypes.createPolicy("strictly-necessary", { createHTML: (text) => text, createScriptURL: (text) => text });
      throw new Error("the policy was there to be taken");
    },
    "the policy of the page": async () => {
      trustedTypes.createPolicy("strictly-necessary", { createScriptURL: (text) => text });
      throw new Error("the policy was there to be taken");
    },
    "the policy while it works": async () => {
      TrustedTypePolicy.prototype.createScriptURL = function () { leaks.push(this); return ""; };
      new Worker("/worker-classic.js").terminate();
      if (leaks.length) throw new Error("the policy leaked");
    },
    "a worker of text": async () => { new Worker(URL.createObjectURL(new Blob(["indexedDB.open('tracker')"]))); },
    "a worker of data": async () => { new Worker("data:text/javascript,indexedDB.open('tracker')"); },
    "a worker by the constructor of a worker": async () => {
      const worker = new Worker("/worker-classic.js");
      new worker.constructor(URL.createObjectURL(new Blob(["indexedDB.open('tracker')"])));
    },
    "a worker of a frame": async () => {
      document.body.append(frame());
      await new Promise((done, failed) => {
        const worker = new frames[0].Worker("/worker-attack.js");
        worker.onmessage = done;
        worker.onerror = failed;
      });
    },
    "a worker of a worker": async () => {
      await new Promise((done, failed) => {
        const worker = new Worker("/worker-nesting.js");
        worker.onmessage = done;
        worker.onerror = (event) => failed(new Error(event.message));
      });
    },
    "storage buckets": async () => { await (await navigator.storageBuckets.open("tracker")).indexedDB.open("tracker"); },
    "the old file system": async () => { await new Promise((done, failed) => webkitRequestFileSystem(0, 1024, done, failed)); },
    "storage access": async () => { store((await document.requestStorageAccess({ localStorage: true })).localStorage); },
    "the header of navigation preloads": async () => {
      const registration = await navigator.serviceWorker.register("/service-plain.js", { scope: "/x/" });
      await new Promise((done) => { registration.installing.onstatechange = (event) => event.target.state === "activated" && done(); });
      await registration.navigationPreload.enable();
      await registration.navigationPreload.setHeaderValue("tracker").catch(() => {});
      const { headerValue } = await registration.navigationPreload.getState();
      await registration.unregister();
      if (headerValue === "tracker") throw new Error("kept");
    },
    "subscriptions to cookies": async () => {
      const registration = await navigator.serviceWorker.register("/service-plain.js", { scope: "/x/" });
      await new Promise((done) => { registration.installing.onstatechange = (event) => event.target.state === "activated" && done(); });
      await registration.cookies.subscribe([{ name: "tracker" }]).catch(() => {});
      const kept = await registration.cookies.getSubscriptions();
      await registration.unregister();
      if (kept.length) throw new Error("kept");
    },
    "the status of a login": async () => { await navigator.login.setStatus("logged-in"); },
    "a service worker with a query": async () => { await navigator.serviceWorker.register("/service-plain.js?tracker", { scope: "/x/" }); },
    "a scope with a query": async () => { await navigator.serviceWorker.register("/service-plain.js", { scope: "/x/?tracker" }); },
  };
  g.ATTACKS = Object.keys(ATTACKS);
  g.attack = async (name) => {
    try {
      const answer = await ATTACKS[name]();
      await new Promise((done) => setTimeout(done, 30));
      return answer ?? "done";
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
  };
})();
