/* The probe's ground: its own copies of built-ins, stacks, batches, and how it stands in front of native functions.
 *
 * It runs before any script of the page, in each document and each worker. From then on a page can replace every
 * built-in, so that what runs later uses only what is taken here at the start, no iteration and no arrays that grow; what
 * is told is put together as text, because a page's toJSON could bend arrays and objects. */
const here = globalThis;
const { apply, construct, defineProperty, deleteProperty, get: lookUp, set: assign } = Reflect;
const { getOwnPropertyDescriptor: describe, getPrototypeOf, ownKeys } = Reflect;
const { Error, Proxy, WeakMap, URL, String, Function, queueMicrotask } = here;
const wrongType = TypeError.prototype, stringify = JSON.stringify, now = Date.now, parseDate = Date.parse;

// A native method or getter as a function whose first argument is `this`; undefined if this realm has none.
const grab = (type, name) => {
  const found = here[type] && describe(here[type].prototype, name), native = found && (found.value || found.get);
  return native && ((self, ...args) => apply(native, self, args));
};
const slice = grab("String", "slice"), find = grab("String", "indexOf"), lower = grab("String", "toLowerCase");
const trim = grab("String", "trim"), exec = grab("RegExp", "exec"), then = grab("Promise", "then");
const hrefOf = grab("URL", "href"), baseOf = grab("Node", "baseURI"), isArray = Array.isArray;

// A WeakMap whose methods no page can replace.
const weak = () => {
  const map = new WeakMap();
  for (const name of ["get", "set", "has"]) defineProperty(map, name, { value: WeakMap.prototype[name] });
  return map;
};
const quote = (text) => stringify(`${text}`);
const cut = (text, length) => (text.length > length ? slice(text, 0, length) : text);

// --- Stacks ------------------------------------------------------------------------------------------------------

let sites;
const keepSites = (_, found) => {
  sites = found;
  return "";
};
const capture = () => {
  sites = undefined;
  const prepare = describe(Error, "prepareStackTrace"), limit = describe(Error, "stackTraceLimit");
  const plain = { __proto__: null, configurable: true, enumerable: true, writable: true };
  defineProperty(Error, "stackTraceLimit", { __proto__: plain, value: 30 });
  defineProperty(Error, "prepareStackTrace", { __proto__: plain, value: keepSites });
  const text = new Error().stack;
  if (prepare) defineProperty(Error, "prepareStackTrace", prepare);
  else deleteProperty(Error, "prepareStackTrace");
  if (limit) defineProperty(Error, "stackTraceLimit", limit);
  else deleteProperty(Error, "stackTraceLimit");
  return text;
};
capture();
const ask = {};
for (const name of ["getFileName", "getLineNumber", "getColumnNumber", "getFunctionName", "getEvalOrigin",
  "getScriptNameOrSourceURL"]) {
  const native = getPrototypeOf(sites[0])[name];
  ask[name] = (site) => apply(native, site, []);
}
const OWN = ask.getScriptNameOrSourceURL(sites[0]);
const ORIGIN = /\(([^\s()]+):(\d+):(\d+)\)[^]*?$/, LINE = /^ *at (?:async )?(?:(.*?) \()?([^\s()]+):(\d+):(\d+)\)?$/gm;

// A stack as `text` (JSON, innermost first, at most 12 lines) and its innermost `script`. Lines without an address, such
// as those of a timer that was given as text, count for the document.
const trace = () => {
  let text = "", script = "", lines = 0, others = 0;
  const line = (url, row, column, name) => {
    if (!script) script = url;
    if (lines++ < 12) text += `${text && ","}[${quote(cut(url, 2000))},${+row || 1},${+column || 1},${quote(cut(name || "", 200))}]`;
  };
  const raw = capture();
  if (sites) {
    for (let i = 0; i < sites.length; i++) {
      const site = sites[i], name = ask.getFunctionName(site);
      let url = ask.getFileName(site), row = ask.getLineNumber(site), column = ask.getColumnNumber(site);
      const origin = ask.getEvalOrigin(site);
      if (origin && (!url || !find(url, OWN))) {
        const found = exec(ORIGIN, origin);
        if (found) {
          url = found[1];
          row = found[2];
          column = found[3];
        }
      } else if (ask.getScriptNameOrSourceURL(site) === OWN && (!url || url === OWN)) continue;
      if (url) line(url, row, column, name);
      else if (row) others++;
    }
  } else if (typeof raw === "string") {
    // A page has frozen Error. Its own names for scripts have to do.
    LINE.lastIndex = 0;
    for (let found; (found = exec(LINE, raw)); ) {
      if (found[2] === "<anonymous>") others++;
      else if (found[2] !== OWN) line(found[2], found[3], found[4], found[1]);
    }
  }
  sites = undefined;
  return { __proto__: null, text: `[${text}]`, script: cut(script || (others ? here.location.href : ""), 2000) };
};

// --- Batches -----------------------------------------------------------------------------------------------------

// What was seen in one task is told in its microtasks. What is seen again and again is told when its count doubles.
const WRITES = 20000, CALLS = 4000, ARGUMENTS = 200, STACKS = 32, WRITE_STACKS = 256;
let send = here[BINDING], round = 1, waiting = false, writes = "", wrote = 0, called = 0, dirty = null;
if (send) deleteProperty(here, BINDING);
let stacks = "", stackCount = 0, stackIndex = { __proto__: null };
const indexOf = (text) => {
  const found = stackIndex[text];
  if (found !== undefined) return found;
  stacks += `${stacks && ","}${text}`;
  return (stackIndex[text] = stackCount++);
};
const isRound = (count) => (count & (count - 1)) === 0;

const flush = (all) => {
  round++;
  waiting = false;
  let calls = "", kept = null;
  for (let entry = dirty, next; entry; entry = next) {
    next = entry.next;
    if (all === true || !entry.told || entry.fresh || isRound(entry.count)) {
      calls += `${calls && ","}[${quote(entry.api)},${quote(entry.script)},${entry.count - entry.told},${indexOf(entry.stack)},[${entry.fresh}]]`;
      entry.told = entry.count;
      entry.fresh = "";
      entry.dirty = false;
    } else {
      entry.next = kept;
      kept = entry;
    }
  }
  dirty = kept;
  if (!calls && !writes) return;
  const payload = `{"at":${quote(here.location.href)},"stacks":[${stacks}],"writes":[${writes}],"calls":[${calls}]}`;
  writes = stacks = "";
  stackCount = 0;
  stackIndex = { __proto__: null };
  send = send || here[BINDING];
  if (send) send(payload);
};
const later = () => {
  if (waiting) return;
  waiting = true;
  queueMicrotask(() => { try { flush(); } catch {} });
};

// One write. The same again is told when its count doubles. In a task of very many, the later ones have the last stack.
const lastWrites = { __proto__: null };
let stackOfWrite, writeRound = 0, writesLeft = 0;
const write = (kind, name, value, life, removes) => {
  if (wrote >= WRITES) return;
  name = cut(`${name}`, 1000);
  value = cut(`${value}`, 16384);
  const key = `${kind} ${name}`, was = `${removes}${life === null}${value}`;
  let last = lastWrites[key];
  if (!last || last.was !== was) last = lastWrites[key] = { __proto__: null, was, count: 0 };
  if (!isRound(++last.count)) return;
  wrote++;
  if (writeRound !== round) {
    writeRound = round;
    writesLeft = WRITE_STACKS;
  }
  if (writesLeft-- > 0) stackOfWrite = trace();
  const stack = stackOfWrite;
  writes += `${writes && ","}[${quote(kind)},${quote(name)},${quote(value)},${life === null ? "null" : +life || 0},${removes ? 1 : 0},${indexOf(stack.text)}]`;
  later();
};

// One use of an interface, with what judges need of its arguments as texts. Stacks are taken of the first uses in each
// task only, so that a page stays as fast as it was; further ones count for the script that was the last.
const apis = { __proto__: null };
const call = (api, ...args) => {
  const state = apis[api] || (apis[api] = { __proto__: null, round: 0, left: 0, last: null, scripts: { __proto__: null } });
  if (state.round !== round) {
    state.round = round;
    state.left = STACKS;
  }
  let entry = state.last;
  if (!entry || state.left > 0) {
    state.left--;
    const stack = trace();
    entry = state.last = state.scripts[stack.script];
    if (!entry) {
      if (called++ >= CALLS) return;
      entry = state.last = state.scripts[stack.script] = { __proto__: null, api, script: stack.script, stack: stack.text,
        count: 0, told: 0, fresh: "", dirty: false, next: null, uses: { __proto__: null }, distinct: 0 };
    }
  }
  entry.count++;
  if (args.length && entry.distinct < ARGUMENTS) {
    let use = "";
    for (let i = 0; i < args.length; i++) use += `${use && ","}${quote(cut(`${args[i]}`, 300))}`;
    if (!entry.uses[use]) {
      entry.uses[use] = true;
      entry.distinct++;
      entry.fresh += `${entry.fresh && ","}[${use}]`;
    }
  }
  if (!entry.dirty) {
    entry.dirty = true;
    entry.next = dirty;
    dirty = entry;
  }
  later();
  return entry;
};

// --- Standing in front of native functions -----------------------------------------------------------------------

// All that stands in front of a native function has one text, so that every realm knows it from every other's.
const front = (native, run) => {
  const made = { front(...args) { return run(native, this, args); } }.front;
  for (const key of ["name", "length"]) defineProperty(made, key, describe(native, key));
  return made;
};
const textOf = Function.prototype.toString;
const FRONT = apply(textOf, front(textOf, () => {}), []), fronts = weak();

// Puts `run` in front of the `parts` (such as "get set", "value") of a property of an interface's prototype, or of
// the realm itself for "", or of the interface itself for "Name!". Does so once, and again only where the interface was missing before.
const covered = { __proto__: null };
const coverOn = (owner, key, name, part, run) => {
  const found = describe(owner, name);
  if (covered[key] || !found || !found.configurable || typeof found[part] !== "function") return;
  covered[key] = true;
  defineProperty(owner, name, { ...found, [part]: front(found[part], run) });
};
const cover = (type, name, part, run) => {
  let owner = here;
  if (type) {
    const isStatic = type.endsWith("!"), whole = here[isStatic ? type.slice(0, -1) : type];
    owner = isStatic ? whole : whole && whole.prototype;
  } else while (owner && !describe(owner, name)) owner = getPrototypeOf(owner);
  if (owner) coverOn(owner, `${type}.${name}.${part}`, name, part, run);
};
const each = (types, names, part, make) => {
  for (const type of types.split(" ")) for (const name of names.split(" ")) cover(type, name, part, make(type, name));
};
// After the native function returned: `note(self, args, result, name, type)`. What it throws is lost, and nothing else.
const after = (types, names, part, note) => each(types, names, part, (type, name) => (native, self, args) => {
  const result = apply(native, self, args);
  try { note(self, args, result, name, type); } catch {}
  return result;
});
// Before, so that what was tried is seen too.
const before = (types, names, part, note) => each(types, names, part, (type, name) => (native, self, args) => {
  try { note(self, args, name, type); } catch {}
  return apply(native, self, args);
});
// Whatever came of it, unless it was called on nothing that it belongs to.
const attempt = (native, self, args, note) => {
  let missed = false;
  try { return apply(native, self, args); } catch (error) {
    missed = error && getPrototypeOf(error) === wrongType;
    throw error;
  } finally {
    if (!missed) try { note(); } catch {}
  }
};
// In front of a class: a Proxy keeps its statics, its prototype and what extends it.
const made = (names, note) => {
  for (const name of names.split(" ")) {
    const found = describe(here, name), native = found && found.value;
    if (covered[`new ${name}`] || typeof native !== "function" || !found.configurable) continue;
    covered[`new ${name}`] = true;
    const proxy = new Proxy(native, {
      __proto__: null,
      construct(target, args, as) {
        let result;
        try { return (result = construct(target, args, as)); } finally {
          try { note(args, result, name); } catch {}
        }
      },
    });
    fronts.set(proxy, apply(textOf, native, []));
    defineProperty(here, name, { ...found, value: proxy });
    const own = describe(native.prototype, "constructor");
    if (own && own.configurable && own.value === native) defineProperty(native.prototype, "constructor", { ...own, value: proxy });
  }
};
// What a promise brings, seen before the page sees it.
const settled = (promise, note) => {
  defineProperty(promise, "constructor", { __proto__: null, configurable: true, value: undefined }); // no species
  then(promise, (value) => { try { note(value); } catch {} }, () => {});
  deleteProperty(promise, "constructor");
};

const coverText = () => cover("Function", "toString", "value", (native, self, args) => {
  if (self === AGAIN) return coverAll(), "";
  const text = apply(native, self, args);
  if (text === FRONT) return `function ${describe(self, "name").value}() { [native code] }`;
  return (typeof self === "function" && fronts.get(self)) || text;
});
