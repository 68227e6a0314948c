/* The browser guard: lets a page, its frames and its workers keep what the declaration holds, and nothing else.
 *
 * It runs before any other script. From then on it owns the only way to each native function that stores something:
 * later scripts can replace our functions, and never reach what is behind them. Later scripts may also change every
 * built-in prototype, so the rules of this file are: call built-ins only by copies taken here at the start; no
 * iteration, no spread, no split; objects that are handed to built-ins have no prototype.
 *
 * guard.min.js is made from this file by scripts/minify. RULES becomes the declaration, see browser.py. Where something
 * needs consent, gate.min.js takes its place: the same, with what stands here in comments that begin with `gate`. */
(function (rules) {
  "use strict";
  const here = globalThis;
  const { apply, construct, defineProperty, getOwnPropertyDescriptor: describe, getPrototypeOf } = Reflect;
  const { DOMException, Error, Proxy, URL, Date, fetch, MutationObserver } = here;

  // What is hooked last tells whether all of a realm is covered: by us, by a parent's guard or by its own.
  const isFree = (realm) => describe(realm.IDBFactory.prototype, "open").configurable;
  if (!isFree(here)) return;

  const warn = console.warn, now = Date.now, parse = Date.parse, stringify = JSON.stringify;

  const grab = (path) => {
    const [type, name] = path.split("."), found = here[type] && describe(here[type].prototype, name);
    const native = found && (found.value || found.get); // now, because later a script can give every object a `value`
    return (self, ...args) => apply(native, self, args);
  };
  const [exec, slice, lower, toUTC, getFrom, putInto, has, add, drop, each, then, listen, observe, setItem, trustUrl,
    hrefOf, pathOf, baseOf, viewOf, nameOf] = "RegExp.exec String.slice String.toLowerCase Date.toUTCString WeakMap.get \
WeakMap.set Set.has Set.add Set.delete Set.forEach Promise.then EventTarget.addEventListener MutationObserver.observe \
Storage.setItem TrustedTypePolicy.createScriptURL URL.href URL.pathname Node.baseURI Document.defaultView \
FileSystemHandle.name".split(" ").map(grab);
  const done = Promise.resolve();
  const origin = location.origin + "/";
  const address = location.href;

  const reject = (error) => then(done, () => { throw error; });
  const startsWith = (text, start) => slice(text, 0, start.length) === start;
  const words = (text, f) => {
    const pattern = /\S+/g;
    for (let found; (found = exec(pattern, text)); ) f(found[0]);
  };

  // --- Telling ---------------------------------------------------------------------------------------------------

  // The scripts on the stack, the innermost first, without query and fragment, without ourselves, and without the scripts
  // that stand in the page itself: its address can tell who reads it. The addresses of our origin are paths.
  const page = here.document && exec(/[^?#]*/, address)[0];
  let ourselves;
  const trace = () => {
    const pattern = /(https?:\/\/[^\s()?#]*)([^\s()]*?)(:\d+:\d+)/g, limit = Error.stackTraceLimit;
    let frames = "", count = 0, found = 0;
    Error.stackTraceLimit = 30;
    const stack = `${new Error().stack}`;
    Error.stackTraceLimit = limit;
    while (count < 10 && (found = exec(pattern, stack))) {
      const script = found[1];
      if (!ourselves) ourselves = script + found[2];
      if (script + found[2] !== ourselves && script !== page) {
        frames += (startsWith(script, origin) ? slice(script, origin.length - 1) : script) + found[3] + "\n";
        count++;
      }
    }
    return frames;
  };
  trace();

  // Each thing once, and ten things for each load. What the page has done to Error can cost the stack, not the report.
  const told = new Set();
  let reports = 0;

  // Reports, and throws unless the guard only watches.
  const refuse = (code, kind, name) => {
    name = slice(name, 0, 80);
    const key = code + kind + name;
    if (reports < 10 && !has(told, key)) {
      add(told, key);
      reports++;
      let stack = "";
      try { stack = trace(); } catch {}
      then(fetch(rules.to, { __proto__: null, method: "POST", keepalive: true, credentials: "omit", cache: "no-store",
        referrerPolicy: "no-referrer", body: stringify({ __proto__: null, code, kind, name, stack }) }), null, () => {});
    }
    if (rules.block) throw new DOMException(`Not as declared: ${kind} ${name} (${code})`, "SecurityError");
  };

  // --- What is declared ------------------------------------------------------------------------------------------

  // An item is [kind, name, values or 0]; a cookie's goes on with path, domain, SameSite, Secure, Partitioned and
  // seconds. Attributes are compared as texts: absent ones are empty, and those without a value are "1".
  for (const item of rules.items) item[2] = item[2] && new Set(item[2]);
  const check = (kind, name, value, attributes, life) => {
    if (life <= 0) return; // what removes a cookie is always allowed
    const items = rules.items;
    for (let i = 0; i < items.length; i++) {
      const item = items[i], declared = item[1], end = declared.length - 1;
      if (item[0] === kind && (name === declared || (declared[end] === "*" && startsWith(name, slice(declared, 0, end))))) {
        /*gate if (i >= rules.free) agree(i, kind, name); */
        let at = 3, sound = value === undefined || !item[2] || has(item[2], value);
        if (attributes) {
          words("path domain samesite secure partitioned", (key) => {
            if ((attributes[key] || "") !== item[at++]) sound = false;
          });
          if (life > item[at]) sound = false;
        }
        if (!sound) refuse("SN332", kind, name);
        return;
      }
    }
    refuse("SN331", kind, name);
  };

  // A life is in seconds; without one the cookie ends with the session. A date is read if it stands as toUTCString writes
  // it, with - for a space or UTC for GMT. What browsers might read in other ways is endless, so that nothing passes as a
  // removal and is none.
  const longer = (life, other) => (life > other ? life : other);
  const untilTime = (time) => (time >= 0 ? (time - now()) / 1000 : 1 / 0);
  const untilDate = (text) => {
    const part = exec(/^(.{7})[ -](...)[ -](.{13}) (GMT|UTC)$/, text), plain = part && `${part[1]} ${part[2]} ${part[3]} GMT`;
    const time = parse(plain);
    return untilTime(toUTC(new Date(time)) === plain ? time : -1);
  };
  const trim = (text) => exec(/^[ \t]*([^]*?)[ \t]*$/, text || "")[1];

  // RFC 6265bis section 5.6, as strictly as it can be read.
  const checkCookieText = (text) => {
    const pattern = /([^;=]*)(?:=([^;]*))?(?:;|$)/y, pair = exec(pattern, text), attributes = { __proto__: null };
    let life;
    while (pattern.lastIndex < text.length) {
      // What stands without a value is "1". Browsers pass over values that are too long, so Secure is to have none.
      const part = exec(pattern, text), key = lower(trim(part[1])), value = part[2] === undefined ? "1" : trim(part[2]);
      if (key === "max-age") life = longer(life, exec(/^-?\d{1,12}$/, value) ? +value : 1 / 0);
      else if (key === "expires") life = longer(life, untilDate(value));
      else attributes[key] = key === "path" ? value : lower(key === "domain" && value[0] === "." ? slice(value, 1) : value);
    }
    // A pair without = is a value without a name.
    check("cookie", pair[2] === undefined ? "" : trim(pair[1]), trim(pair[2]), attributes, life);
  };

  // The options of CookieStore.set are read once and handed on as a copy, because a getter could answer differently
  // the second time. Texts will do: the browser turns them into numbers.
  const copyCookie = (args) => {
    const made = { __proto__: null };
    const given = args.length > 1 ? { __proto__: null, name: args[0], value: args[1] } : args[0];
    words("name value domain path sameSite partitioned expires maxAge", (key) => {
      const text = given[key];
      if (text != null) made[key] = key === "partitioned" && !text ? "" : `${text}`;
    });
    return made;
  };
  const checkCookieCopy = (made) => {
    let life;
    if (made.expires) life = untilTime(+made.expires);
    if (made.maxAge) life = longer(life, +made.maxAge);
    check("cookie", made.name, made.value, { __proto__: null, path: made.path || "/", domain: made.domain,
      samesite: made.sameSite || "strict", secure: "1", partitioned: made.partitioned && "1" }, life);
  };

  // --- Standing in front of native functions ---------------------------------------------------------------------

  // Puts `replacement` in the place of methods, getters, setters and classes: those of each type's prototype, or for the
  // type "." those of the realm itself. What is replaced on a prototype cannot be configured again. In the realm itself it can, because
  // otherwise a script could have no variable of that name, and deleting it brings no original back.
  const hook = (realm, types, names, replacement) => words(types, (type) => words(names, (name) => {
    let owner = type === "." ? realm : realm[type] && realm[type].prototype, found;
    while (owner && !(found = describe(owner, name))) owner = getPrototypeOf(owner);
    if (!owner || !found.configurable) return;
    const made = { __proto__: null, configurable: type === ".", enumerable: found.enumerable };
    words("get set value", (key) => {
      const native = describe(found, key) && found[key];
      if (!native) return;
      const isClass = describe(native, "prototype");
      made[key] = isClass ? new Proxy(native, {
        __proto__: null,
        construct: (_, args, target) => replacement(args, () => construct(native, args, target)),
      }) : { [name](...args) { return replacement(args, (as = this) => apply(native, as, args), this, name, type); } }[name];
      if (key === "value") made.writable = true;
      if (isClass) defineProperty(native.prototype, "constructor", made);
    });
    defineProperty(owner, name, made);
  }));
  const hookPromising = (realm, types, names, replacement) => hook(realm, types, names, (args, run, self, name, type) => {
    try { return replacement(args, run, self, name, type); } catch (error) { return reject(error); }
  });

  // --- Local and session storage ---------------------------------------------------------------------------------

  // Pages see a Proxy in place of each Storage, and nobody sees the Storage itself.
  const proxies = new WeakMap(), storages = new WeakMap(), areas = new WeakMap();
  const cover = (raw, kind) => {
    let proxy = getFrom(proxies, raw);
    if (proxy || !raw || !kind) return proxy || null;
    const write = (key, value) => {
      value = `${value}`;
      check(kind, key, value);
      setItem(raw, key, value);
      return true;
    };
    const define = (_, key, made) => {
      if (typeof key === "symbol") return defineProperty(raw, key, made);
      return !!describe(made, "value") && write(key, made.value);
    };
    proxy = new Proxy(raw, {
      __proto__: null,
      defineProperty: define,
      set(_, key, value, receiver) {
        const made = { __proto__: null, value, configurable: true, enumerable: true, writable: true };
        return receiver === proxy ? define(_, key, made) : defineProperty(receiver, key, made);
      },
    });
    putInto(proxies, raw, proxy);
    putInto(storages, proxy, { __proto__: null, raw, write });
    return proxy;
  };
  const coverStorage = (realm) => {
    hook(realm, "Storage", "getItem setItem removeItem clear key length", (args, run, self, name) => {
      const storage = getFrom(storages, self);
      if (storage && name === "setItem" && args.length > 1) storage.write(`${args[0]}`, args[1]);
      else return run(storage ? storage.raw : self);
    });
    hook(realm, ".", "localStorage sessionStorage", (args, run, self, name) =>
      cover(run(), slice(name, 0, -7)));
    // Its window's Storage may not have been asked for yet, so ask.
    hook(realm, "StorageEvent", "storageArea", (args, run, self) => {
      try { realm.localStorage; realm.sessionStorage; } catch {}
      return getFrom(areas, self) || cover(run());
    });
    // A page's own StorageEvent names the Proxy, which the browser would not take.
    hook(realm, ".", "StorageEvent", (args, make) => {
      const area = args[1] && args[1].storageArea;
      if (!getFrom(storages, area)) return make();
      args[1] = { __proto__: args[1], storageArea: null };
      const event = make();
      putInto(areas, event, area);
      return event;
    });
  };

  // --- Files -----------------------------------------------------------------------------------------------------

  // The root of the origin private file system is the one directory whose name is empty.
  const nameOrNothing = (handle) => {
    try { return nameOf(handle); } catch {}
  };
  const coverFiles = (realm) => {
    hookPromising(realm, "FileSystemDirectoryHandle", "getFileHandle getDirectoryHandle", (args, run, self) => {
      const create = !!(args[1] && args[1].create);
      /*gate if (args.length) args[0] = `${args[0]}`; */
      if (args.length > 1) args[1] = { __proto__: null, create };
      if (create && nameOrNothing(self) === "") check("opfs", (args[0] = `${args[0]}`));
      /*gate if (create) checkFirst(self); */
      /*gate return held(run(), self, args[0]); */
      return run();
    });
    /*gate hookPromising(realm, "FileSystemFileHandle", "createWritable createSyncAccessHandle", (args, run, self) => { checkFirst(self); return run(); }); */
    hookPromising(realm, "FileSystemFileHandle FileSystemDirectoryHandle", "move", (args, run, self) => {
      // Renamed in its place: where that is could only be learnt from promises, which a page can bend. So it counts as the
      // first level; whoever names the directory too is free.
      const target = nameOrNothing(args[0]), at = target === undefined ? 0 : 1;
      if (args.length > at) args[at] = `${args[at]}`;
      if (!target) check("opfs", args.length > at ? args[at] : nameOf(self));
      return run();
    });
  };

  // --- Workers ---------------------------------------------------------------------------------------------------

  // Trusted Types want a policy for the address of a worker. Its name is taken in every realm, and lent to nobody.
  const takePolicy = (realm) => {
    try {
      return realm.trustedTypes.createPolicy("strictly-necessary", { __proto__: null, createScriptURL: (url) => url });
    } catch {}
  };
  const policy = takePolicy(here);
  const trust = (href) => (policy ? trustUrl(policy, href) : href);
  const locate = (realm, text) => {
    const url = new URL(`${text}`, realm.document ? baseOf(realm.document) : address), href = hrefOf(url);
    return { __proto__: null, href, path: pathOf(url), ours: startsWith(href, origin) };
  };
  // The parameter asks our server for a script that loads this guard first. Others' scripts come so far if the guard only
  // watches, and then a text in our hands is not to count against the page once more.
  const mark = (url, type) => {
    const part = exec(/^([^#?]*)(\?[^#]*)?(.*)$/, url.href);
    return trust(!url.ours ? url.href : `${part[1]}${part[2] ? part[2] + "&" : "?"}strictly-guard=${type === "module" ? type : "classic"}${part[3]}`);
  };
  const coverWorkers = (realm) => {
    hook(realm, ".", "Worker SharedWorker", (args, make) => {
      const url = locate(realm, args[0]);
      if (!url.ours) refuse("SN334", "worker", exec(/[^?#]*/, url.href)[0]);
      args[0] = mark(url, args[1] && args[1].type);
      return make();
    });
    hookPromising(realm, "ServiceWorkerContainer", "register", (args, run) => {
      const url = locate(realm, args[0]), { scope: given, type, updateViaCache } = args[1] || { __proto__: null };
      const scope = given === undefined ? given : `${given}`;
      if (url.ours) {
        check("service-worker", url.path);
        if (exec(/\?/, url.href + scope)) refuse("SN332", "service-worker", url.path); // a place for an identifier
      } else refuse("SN334", "service-worker", url.path);
      args[0] = mark(url, type);
      // The page's own script is imported now, so imports are to be as fresh as it was.
      args[1] = { __proto__: null, scope, type, updateViaCache: updateViaCache === "all" ? "all" : "none" };
      return run();
    });
    hook(realm, ".", "importScripts", (args, run) => {
      for (let i = 0; i < args.length; i++) {
        const url = locate(realm, args[i]);
        if (url.ours) args[i] = trust(url.href);
      }
      return run();
    });
  };

  // --- Fresh realms ----------------------------------------------------------------------------------------------

  // An empty frame or window has built-in functions of its own. It is covered before a script can reach it: a getter
  // or method that leads there covers it on the way, and what can be reached by index or name is looked for after
  // everything that may have inserted a frame.
  // Of a window only its document and its frames are asked for: no script can redefine these.
  const windows = new Set();
  const adopt = (view) => {
    try {
      const own = view.document; // throws if it is of another origin, whose storage is not ours
      if (!viewOf(own)) return drop(windows, view);
      add(windows, view);
      listen(own, "load", sweep, true); // again, because document.open() forgets it
      try {
        if (!getFrom(proxies, own)) {
          coverRealm(view);
          putInto(proxies, own, own);
        }
      } finally {
        for (let i = 0; view[i]; i++) adopt(view[i]);
      }
    } catch {}
  };
  const sweep = () => each(windows, adopt);
  const adoptView = (value, isPromise) => {
    let view = value;
    try { view = viewOf(value); } catch {}
    if (isPromise) {
      defineProperty(value, "constructor", { __proto__: null, value: undefined }); // so that no page's species is asked
      then(value, adopt, adopt);
    }
    if (view) adopt(view);
    return value;
  };
  const coverFrames = (realm) => {
    observe(new MutationObserver(sweep), realm.document, { __proto__: null, childList: true, subtree: true });
    hook(realm, "Element Document ShadowRoot Text DocumentType Range \
HTMLSelectElement HTMLOptionsCollection HTMLTableElement", "appendChild insertBefore replaceChild append \
prepend replaceChildren before after replaceWith insertAdjacentElement insertNode surroundContents \
execCommand body add caption tHead tFoot", (args, run) => {
      try { return run(); } finally { sweep(); }
    });
    hook(realm, "HTMLIFrameElement HTMLFrameElement HTMLObjectElement DocumentPictureInPicture DocumentPictureInPictureEvent Document .", "contentWindow \
contentDocument window requestWindow open", (args, run, self, name) => adoptView(run(), name === "requestWindow"));
  };

  /*gate.js*/
  // --- All of it -------------------------------------------------------------------------------------------------

  const coverRealm = (realm) => {
    if (!isFree(realm)) return;
    if (realm !== here) takePolicy(realm);
    hook(realm, "Document", "cookie", (args, run) => {
      if (args.length) args[0] = `${args[0]}`;
      try {
        if (args.length) checkCookieText(args[0]);
      } catch (error) {
        return warn(error.message);
      }
      return run();
    });
    hookPromising(realm, "CookieStore", "set", (args, run) => {
      if (args.length) {
        checkCookieCopy((args[0] = copyCookie(args)));
        args.length = 1;
      }
      return run();
    });
    const named = (kind) => (args, run) => {
      if (args.length) check(kind, (args[0] = `${args[0]}`));
      /*gate if (kind === "indexeddb") return opened(run(), args[0]); */
      return run();
    };
    hookPromising(realm, "CacheStorage", "open", named("cache"));
    coverStorage(realm);
    coverFiles(realm);
    coverWorkers(realm);
    if (realm.document) coverFrames(realm);
    const nobody = (args, run, self, name, type) => {
      refuse("SN333", "", type + "." + name);
      return run();
    };
    hookPromising(realm, "StorageBucketManager BackgroundFetchManager ContentIndex NavigationPreloadManager \
PeriodicSyncManager SyncManager Navigator Document CookieStoreManager NavigatorLogin",
    "fetch add setHeaderValue register joinAdInterestGroup requestStorageAccess open subscribe setStatus", nobody);
    hook(realm, ".", "sharedStorage webkitRequestFileSystem webkitRequestFileSystemSync webkitResolveLocalFileSystemURL \
webkitResolveLocalFileSystemSyncURL", nobody);
    hook(realm, "IDBFactory", "open", named("indexeddb"));
  };

  add(windows, here);
  coverRealm(here);
  sweep();
  /*gate begin(); */
})(RULES);
