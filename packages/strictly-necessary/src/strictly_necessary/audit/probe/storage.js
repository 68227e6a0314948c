/* What scripts store: cookies, keys, databases, caches, files, service workers. */

// --- Cookies (RFC 6265bis section 5.6: the last of equal attributes counts, and Max-Age before Expires) ------------

const noteCookie = (text) => {
  const end = find(text, ";"), pair = end < 0 ? text : slice(text, 0, end), middle = find(pair, "=");
  const name = middle < 0 ? "" : trim(slice(pair, 0, middle)), value = trim(slice(pair, middle + 1));
  const pattern = /;\s*([^;=]*?)\s*(?:=([^;]*))?(?=;|$)/g;
  let life = null, until = null;
  for (let part; (part = exec(pattern, text)); ) {
    const key = lower(part[1]), given = trim(part[2] || "");
    if (key === "max-age" && exec(/^-?\d+$/, given)) life = +given;
    else if (key === "expires") {
      const time = parseDate(given);
      if (time === time) until = (time - now()) / 1000;
    }
  }
  const asked = life === null ? until : life;
  write("cookie", name, value, asked, asked !== null && asked <= 0);
};
const coverCookies = () => {
  cover("Document", "cookie", "set", (native, self, args) => {
    if (args.length) args[0] = `${args[0]}`;
    return attempt(native, self, args, () => noteCookie(args[0]));
  });
  before("CookieStore", "set", "value", (self, args) => {
    const given = args.length > 1 ? { __proto__: null, name: args[0], value: args[1] } : args[0];
    let life = null;
    if (given.expires !== undefined && given.expires !== null) life = (+given.expires - now()) / 1000;
    if (given.maxAge !== undefined && given.maxAge !== null) life = +given.maxAge;
    write("cookie", given.name, given.value, life, life !== null && life <= 0);
  });
  before("CookieStore", "delete", "value", (self, args) => {
    const given = args[0];
    write("cookie", typeof given === "object" ? given.name : given, "", 0, true);
  });
};

// --- Keys --------------------------------------------------------------------------------------------------------

// Pages see a Proxy in place of each Storage, because nothing else notices `localStorage.name = value`.
const proxies = weak(), raws = weak();
const RAW = Symbol.for(AGAIN); // how one realm asks another's Proxy
const getItem = grab("Storage", "getItem");
const noteKey = (area, name, given) => {
  let value = typeof given === "string" ? given : "";
  try { value = getItem(area.raw, name); } catch {}
  write(area.kind, name, value === null ? "" : value, null, false);
};
const forget = (area, name) => write(area.kind, name, "", null, true);
const stand = (raw, kind) => {
  const known = proxies.get(raw);
  if (known) return known;
  const area = { __proto__: null, raw, kind };
  const proxy = new Proxy(raw, {
    __proto__: null,
    get: (_, key) => (key === RAW ? area : lookUp(raw, key, raw)),
    set(_, key, value, receiver) {
      if (receiver !== proxy) return assign(raw, key, value, receiver);
      if (typeof key === "symbol") return assign(raw, key, value, raw);
      try { return assign(raw, key, (value = `${value}`), raw); } finally { noteKey(area, key, value); }
    },
    defineProperty(_, key, made) {
      try { return defineProperty(raw, key, made); } finally {
        if (typeof key !== "symbol" && describe(made, "value")) noteKey(area, key, "");
      }
    },
    deleteProperty(_, key) {
      const was = typeof key !== "symbol" && getItem(raw, key) !== null;
      try { return deleteProperty(raw, key); } finally { if (was) forget(area, key); }
    },
  });
  proxies.set(raw, proxy);
  raws.set(proxy, area);
  return proxy;
};
const kindOf = (raw) => {
  try { if (raw === proxiedRaw("localStorage")) return "local"; } catch {}
  return "session";
};
const natives = { __proto__: null };
const proxiedRaw = (name) => apply(natives[name], here, []);
// The area behind what a method of Storage was called on, which can be a Proxy of this realm or of another.
const areaOf = (self) => raws.get(self) || (proxies.has(self) && raws.get(proxies.get(self))) || foreign(self);
const foreign = (self) => {
  let area;
  try { area = self[RAW]; } catch {}
  return area && area.raw ? area : { __proto__: null, raw: self, kind: kindOf(self) };
};
const coverKeys = () => {
  for (const name of ["localStorage", "sessionStorage"]) {
    const found = describe(here, name);
    if (found && found.get && !natives[name]) natives[name] = found.get;
    cover("", name, "get", (native, self, args) => {
      const raw = apply(native, self, args);
      return raw ? stand(raw, name === "localStorage" ? "local" : "session") : raw;
    });
  }
  each("Storage", "getItem key", "value", () => (native, self, args) => apply(native, areaOf(self).raw, args));
  each("Storage", "length", "get", () => (native, self, args) => apply(native, areaOf(self).raw, args));
  cover("Storage", "setItem", "value", (native, self, args) => {
    const area = areaOf(self);
    if (args.length > 1) {
      args[0] = `${args[0]}`;
      args[1] = `${args[1]}`;
    }
    return attempt(native, area.raw, args, () => write(area.kind, args[0], args[1], null, false));
  });
  cover("Storage", "removeItem", "value", (native, self, args) => {
    const area = areaOf(self), was = args.length && getItem(area.raw, (args[0] = `${args[0]}`));
    const result = apply(native, area.raw, args);
    if (was !== null) try { forget(area, args[0]); } catch {}
    return result;
  });
  cover("Storage", "clear", "value", (native, self, args) => {
    const area = areaOf(self);
    let names = [];
    try { names = ownKeys(area.raw); } catch {}
    const result = apply(native, area.raw, args);
    try { for (let i = 0; i < names.length; i++) forget(area, names[i]); } catch {}
    return result;
  });
  each("StorageEvent", "storageArea", "get", () => (native, self, args) => {
    const raw = areas.get(self) || apply(native, self, args);
    return raw ? stand(raw, kindOf(raw)) : raw;
  });
  coverStorageEvent();
};
// A page's own event names the Proxy, which the browser would not take.
const areas = weak();
const coverStorageEvent = () => {
  const found = describe(here, "StorageEvent"), native = found && found.value;
  if (!native || covered["new StorageEvent"]) return;
  covered["new StorageEvent"] = true;
  const proxy = new Proxy(native, {
    __proto__: null,
    construct(target, args, as) {
      const given = args[1] && args[1].storageArea, area = given && raws.get(given);
      if (!area) return construct(target, args, as);
      args[1] = { __proto__: args[1], storageArea: null };
      const event = construct(target, args, as);
      areas.set(event, area.raw);
      return event;
    },
  });
  fronts.set(proxy, apply(textOf, native, []));
  defineProperty(here, "StorageEvent", { ...found, value: proxy });
  defineProperty(native.prototype, "constructor", { ...describe(native.prototype, "constructor"), value: proxy });
};

// --- Databases, caches, files, workers ---------------------------------------------------------------------------

const transactionOf = grab("IDBObjectStore", "transaction"), databaseOf = grab("IDBTransaction", "db");
const databaseName = grab("IDBDatabase", "name"), fileName = grab("FileSystemHandle", "name");
const storeOf = grab("IDBCursor", "source"), indexStore = grab("IDBIndex", "objectStore");

// What stands in a record, two levels deep, as text: an identifier in it can be found again where it is sent.
const contents = (value, depth) => {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return `${value}`;
  if (!value || typeof value !== "object" || depth > 1) return "";
  let text = "";
  const names = ownKeys(value);
  for (let i = 0; i < names.length && i < 20; i++) {
    const found = typeof names[i] === "string" && describe(value, names[i]);
    const part = found && "value" in found ? contents(found.value, depth + 1) : "";
    if (part) text += `${text && " "}${cut(part, 1000)}`;
  }
  return text;
};
const coverDatabases = () => {
  before("IDBFactory", "open", "value", (self, args) => write("indexeddb", args[0], "", null, false));
  before("IDBFactory", "deleteDatabase", "value", (self, args) => write("indexeddb", args[0], "", null, true));
  const nameOf = (store) => databaseName(databaseOf(transactionOf(store)));
  before("IDBObjectStore", "put add", "value", (self, args) => write("indexeddb", nameOf(self), contents(args[0], 0), null, false));
  before("IDBCursor", "update", "value", (self, args) => {
    let store = storeOf(self);
    try { store = indexStore(store); } catch {}
    write("indexeddb", nameOf(store), contents(args[0], 0), null, false);
  });
};

const cacheNames = weak();
const coverCaches = () => {
  after("CacheStorage", "open", "value", (self, args, result) => {
    const name = `${args[0]}`;
    write("cache", name, "", null, false);
    settled(result, (cache) => cacheNames.set(cache, name));
  });
  before("CacheStorage", "delete", "value", (self, args) => write("cache", args[0], "", null, true));
  before("Cache", "put add addAll", "value", (self) => {
    const name = cacheNames.get(self);
    if (name !== undefined) write("cache", name, "", null, false);
  });
};

// The root of a site's own files is the one directory whose name is empty.
const paths = weak();
const pathOf = (handle) => {
  const known = paths.get(handle);
  return known === undefined ? fileName(handle) : known;
};
const coverFiles = () => {
  after("StorageManager", "getDirectory", "value", (self, args, result) => {
    call("StorageManager.getDirectory");
    settled(result, (root) => paths.set(root, ""));
  });
  after("FileSystemDirectoryHandle", "getFileHandle getDirectoryHandle", "value", (self, args, result, name) => {
    const at = pathOf(self), path = at ? `${at}/${args[0]}` : `${args[0]}`;
    if (name === "getFileHandle" && args[1] && args[1].create) write("opfs", path, "", null, false);
    settled(result, (handle) => paths.set(handle, path));
  });
  before("FileSystemDirectoryHandle", "removeEntry", "value", (self, args) => {
    const at = pathOf(self);
    write("opfs", at ? `${at}/${args[0]}` : args[0], "", null, true);
  });
  before("FileSystemFileHandle", "createWritable createSyncAccessHandle", "value", (self) => {
    if (paths.has(self)) write("opfs", pathOf(self), "", null, false); // else a person picked the file
  });
  before("FileSystemHandle", "remove", "value", (self) => write("opfs", pathOf(self), "", null, true));
};

const coverWorkers = () => before("ServiceWorkerContainer", "register", "value", (self, args) => {
  const base = here.document ? baseOf(here.document) : here.location.href;
  write("service-worker", hrefOf(new URL(`${args[0]}`, base)), "", null, false);
});

const coverStorage = () => {
  coverCookies();
  coverKeys();
  coverDatabases();
  coverCaches();
  coverFiles();
  coverWorkers();
};
