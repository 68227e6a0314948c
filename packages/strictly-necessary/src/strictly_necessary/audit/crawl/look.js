// What the audit asks a page: which links, controls and fields there are, where they are, and whether a question about
// consent is asked. It reads the page's layout and stores nothing; elements are remembered under one hidden name.
(command, given) => {
  const MEMORY = "strictly looked at";
  const TOPIC = new RegExp(given.words.topic, "iu");
  const ACCEPT = new RegExp(given.words.accept, "iu");
  const REFUSE = new RegExp(given.words.refuse, "iu");
  const SETTINGS = new RegExp(given.words.settings, "iu");
  const HARM = new RegExp(given.words.harm, "iu");
  const SEND = new RegExp(given.words.send, "iu");
  const BANNER = /cookie|consent|gdpr|ccpa|\bcmp\b|privacy|onetrust|didomi|usercentrics/i;
  const PRESSED = "button, summary, input[type=button], input[type=image], [role=button], [role=tab], [role=switch], " +
    "[role=menuitem], [role=menuitemradio], [role=menuitemcheckbox], [role=radio], [role=checkbox], [role=option], [onclick], a[ping]";
  const CHOSEN = "input[type=checkbox], input[type=radio], input[type=range], input[type=color], select";
  const TYPED = "input:not([type]), input[type=text], input[type=email], input[type=search], input[type=password], " +
    "input[type=tel], input[type=url], textarea, [contenteditable=''], [contenteditable=true], " +
    "[contenteditable=plaintext-only]";
  const MOST = 4000;

  const short = (text) => (text || "").replace(/\s+/g, " ").trim().slice(0, 60).trim();
  const attribute = (element, name) => element.getAttribute(name) || "";

  // Of this kind, in document order, also inside open shadow roots.
  const all = (selector, root = document) => {
    const found = [...root.querySelectorAll(selector)];
    const hosts = [...root.querySelectorAll("*")].slice(0, MOST).filter((each) => each.shadowRoot);
    for (const host of hosts) found.push(...all(selector, host.shadowRoot));
    return found.slice(0, MOST);
  };
  const parent = (element) => element.parentElement || (element.getRootNode() || {}).host || null;
  const within = (element, selector) => {
    for (let each = element; each; each = parent(each)) if (each.matches(selector)) return each;
    return null;
  };
  const shown = (element) => {
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) return false;
    return element.checkVisibility
      ? element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })
      : getComputedStyle(element).visibility === "visible";
  };
  const name = (element) => {
    const by = attribute(element, "aria-labelledby").split(/\s+/).filter(Boolean)
      .map((id) => (document.getElementById(id) || {}).textContent || "").join(" ");
    const labels = [...(element.labels || [])].map((each) => each.textContent).join(" ");
    const inner = /^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName) ? "" : element.innerText || element.textContent;
    const image = element.querySelector ? element.querySelector("img[alt], svg title") : null;
    const face = /^(button|submit|reset|image)$/.test(element.type || "") ? attribute(element, "value") : "";
    return short(attribute(element, "aria-label")) || short(by) || short(labels) || short(inner) || short(face) ||
      short(image ? attribute(image, "alt") || image.textContent : "") || short(attribute(element, "title")) ||
      short(attribute(element, "placeholder")) || short(attribute(element, "alt")) || short(attribute(element, "name")) ||
      short(element.id);
  };
  const role = (element) => {
    const said = attribute(element, "role").split(" ")[0];
    if (said) return said;
    const tag = element.tagName.toLowerCase();
    if (tag === "input") {
      const type = element.type;
      return type === "checkbox" || type === "radio" || type === "range" || type === "color" ? type : "button";
    }
    return tag === "summary" || tag === "select" ? tag : tag === "button" ? "button" : "element";
  };

  // --- The question about consent -------------------------------------------------------------------------------------
  const floats = (element) => {
    const { position } = getComputedStyle(element);
    return position === "fixed" || position === "sticky";
  };
  const banner = (button) => {
    let steps = 0;
    for (let each = parent(button); each && each !== document.body && steps < 12; each = parent(each), steps += 1) {
      if (each === document.documentElement) return null;
      const text = each.textContent || "";
      if (text.length > 6000) return null;
      const words = `${each.id} ${attribute(each, "class")} ${attribute(each, "aria-label")}`;
      const marked = each.matches("dialog, [role=dialog], [role=alertdialog], [data-cookie-gate]") || BANNER.test(words) ||
        floats(each);
      if (marked && (TOPIC.test(text) || BANNER.test(words))) return each;
    }
    return null;
  };
  // What it offers. Who refuses by words that contain a yes ("continue without accepting") refuses.
  const answerOf = (button) => {
    const said = name(button).toLowerCase();
    if (button.matches("[data-cookie-gate] button[name=act]")) {
      return { grant: "accept", refuse: "refuse" }[button.value] || null;
    }
    if (!said || said.length > 50) return null;
    return REFUSE.test(said) ? "refuse" : SETTINGS.test(said) ? "settings" : ACCEPT.test(said) ? "accept" : null;
  };
  const question = () => {
    const answers = {};
    const inside = new Set();
    for (const button of all("button, a, [role=button], input[type=button], input[type=submit]")) {
      const answer = answerOf(button);
      if (!answer || !shown(button)) continue;
      const box = banner(button);
      if (!box) continue;
      if (answer !== "settings" || !answers.settings) inside.add(box);
      if (!answers[answer]) answers[answer] = button;
    }
    return { answers, inside: answers.accept || answers.refuse ? [...inside] : [] };
  };

  // --- What can be pressed, and typed into ----------------------------------------------------------------------------
  const leaves = (element) => {
    const link = within(element, "a[href], area[href]");
    if (!link) return false;
    const href = attribute(link, "href").trim();
    return !(href === "" || href.startsWith("#") || /^javascript:\s*(void|;|$)/i.test(href));
  };
  const sends = (element) => {
    if (element.matches("input[type=image]")) return Boolean(element.form);
    return element.matches("button, input") && /^(submit|reset|image)$/.test(element.type) && Boolean(element.form);
  };
  const changesSend = (element) => {
    const form = element.form;
    return Boolean(form) && /submit/i.test(attribute(element, "onchange") + attribute(form, "onchange"));
  };
  const usable = (element, asked) =>
    !element.disabled && attribute(element, "aria-disabled") !== "true" && !within(element, "[inert]") &&
    !asked.some((box) => box.contains(element)) && shown(element) && !HARM.test(name(element).toLowerCase());
  const pointed = () => {
    // What people see as pressable because the pointer says so, though it is no control.
    const found = [];
    for (const element of [...document.body.querySelectorAll("div, span, li, img, p, td, section, article, svg")]
      .slice(0, MOST)) {
      if (getComputedStyle(element).cursor !== "pointer") continue;
      const above = element.parentElement;
      if (above && getComputedStyle(above).cursor === "pointer") continue;
      if (within(element, `a, label, ${PRESSED}, ${CHOSEN}, ${TYPED}`)) continue;
      found.push(element);
      if (found.length > 20) break;
    }
    return found;
  };
  // Equal for equal controls of pages with equal scripts.
  const digest = (text) => {
    let sum = 2166136261;
    for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 16777619);
    return `${(sum >>> 0).toString(36)}.${text.length}`;
  };
  const runs = () => [...document.scripts].filter((each) => !/json|template/i.test(each.type));
  const scripts = () => digest(runs().map((each) => each.src || each.textContent).join("\n"));
  const memory = () => {
    if (!window[MEMORY]) Object.defineProperty(window, MEMORY, { value: [], configurable: true });
    return window[MEMORY];
  };
  const remember = (element) => {
    const kept = memory();
    const at = kept.indexOf(element);
    return at >= 0 ? at : kept.push(element) - 1;
  };
  const told = () => {
    const counts = new Map();
    return (word, called) => {
      const base = called ? `${word} "${called}"` : word;
      const count = (counts.get(base) || 0) + 1;
      counts.set(base, count);
      return count > 1 ? `${base} (${count})` : base;
    };
  };
  const fieldName = (element) => {
    const word = element.type === "search" || attribute(element, "role") === "searchbox" ? "search" : "field";
    return [word, name(element.isContentEditable ? Object.assign(document.createElement("i"),
      { id: element.id, title: attribute(element, "aria-label") || attribute(element, "title") }) : element)];
  };
  const controls = () => {
    const asked = question().inside;
    const target = told();
    const found = [];
    const seen = new Set();
    const typed = all(TYPED).some(shown);
    const own = scripts();
    const add = (element, how) => {
      if (seen.has(element)) return;
      seen.add(element);
      if (how === "press" && typed && SEND.test(name(element).toLowerCase())) return;
      if (!usable(element, asked) || leaves(element)) return;
      const mark = `${own} ${digest(element.outerHTML.slice(0, 2000))}`;
      found.push({ at: remember(element), how, mark, target: target(role(element), name(element)) });
    };
    if (!document.body) return [];
    for (const element of all(`${PRESSED}, ${CHOSEN}`)) {
      if (element.matches(CHOSEN)) {
        if (!changesSend(element)) add(element, element.matches("select, [type=range], [type=color]") ? "choose" : "check");
      } else if (!sends(element) && !element.matches("input[type=file]")) add(element, "press");
    }
    for (const element of pointed()) add(element, "press");
    return found;
  };
  const fields = () => {
    const asked = question().inside;
    const target = told();
    const own = scripts();
    return all(TYPED).filter((element) => !element.readOnly && usable(element, asked)).map((element) => ({
      at: remember(element),
      type: element.type || "text",
      mark: `${own} ${digest(element.outerHTML.slice(0, 2000))}`,
      target: target(...fieldName(element)),
    }));
  };

  const elementAt = (x, y) => {
    let element = document.elementFromPoint(x, y);
    while (element && element.shadowRoot) {
      const inner = element.shadowRoot.elementFromPoint(x, y);
      if (!inner || inner === element) break;
      element = inner;
    }
    return element;
  };
  const middle = (element) => {
    element.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
    const box = element.getBoundingClientRect();
    const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 2);
    const y = Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 2);
    let hit = elementAt(x, y);
    const labels = [...(element.labels || [])];
    let free = false;
    for (let each = hit; each && !free; each = parent(each)) free = each === element || labels.includes(each);
    return { x, y, free };
  };

  const ask = {
    links: () => {
      const base = location.href;
      const found = [];
      for (const element of all("a[href], area[href]").slice(0, 2000)) {
        let url;
        try { url = new URL(attribute(element, "href").trim(), document.baseURI || base); } catch { continue; }
        if (!/^https?:$/.test(url.protocol)) continue;
        found.push({ url: url.href, text: name(element), download: element.hasAttribute("download") });
      }
      return found;
    },
    // The addresses of the links to other sites, before anybody touched them.
    foreign: () => {
      const found = all("a[href], area[href]").filter((each) => /^https?:$/.test(each.protocol) &&
        !given.hosts.includes(each.hostname)).slice(0, given.most);
      return found.map((element) => ({ at: remember(element), before: element.href, text: name(element) }));
    },
    // The page's listeners run as for a person; then the link is not followed.
    pressLinks: () => given.at.map((at) => {
      const element = memory()[at];
      if (!element) return null;
      const box = element.getBoundingClientRect();
      const place = { bubbles: true, cancelable: true, composed: true, view: window, button: 0, detail: 1,
        clientX: box.left + 2, clientY: box.top + 2 };
      const stop = (event) => event.preventDefault();
      const around = [element, document, window];
      for (const each of around) each.addEventListener("click", stop);
      try {
        for (const [down, kind] of [["pointerover", PointerEvent], ["mouseover", MouseEvent], ["pointerdown", PointerEvent],
          ["mousedown", MouseEvent], ["pointerup", PointerEvent], ["mouseup", MouseEvent]]) {
          element.dispatchEvent(new kind(down, place));
        }
        if (element.dispatchEvent(new MouseEvent("click", place))) window.stop();
      } finally { for (const each of around) each.removeEventListener("click", stop); }
      return element.href;
    }),
    hrefs: () => given.at.map((at) => (memory()[at] ? memory()[at].href : null)),
    controls,
    fields,
    scripts,
    offers: () => {
      const asked = [...controls(), ...all("button, input[type=submit]").filter((each) => sends(each) && shown(each))
        .map((each) => ({ target: `button "${name(each)}"` }))];
      const typed = fields().map((each) => ({ target: each.target.replace(/^(field|search)/, "label") }));
      const links = all("a[href]").filter(shown).map((each) => ({ target: `link "${name(each)}"` }));
      return [...new Set([...asked, ...typed, ...links].map((each) => each.target))].slice(0, 12);
    },
    // Where to press what was remembered, brought into sight.
    middle: () => {
      const element = memory()[given.at];
      return element && element.isConnected && shown(element) ? middle(element) : null;
    },
    press: () => { const element = memory()[given.at]; if (element) element.click(); },
    next: () => {
      const element = memory()[given.at];
      if (!element) return;
      if (element.matches("select")) {
        const free = [...element.options].filter((each) => !each.disabled && !each.selected);
        if (!free.length) return;
        element.focus();
        free[0].selected = true;
      } else if (element.type === "range") {
        element.focus();
        const before = element.value;
        element.stepUp();
        if (element.value === before) element.stepDown();
      } else element.value = element.value === "#a1b2c3" ? "#c3b2a1" : "#a1b2c3";
      element.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
      element.dispatchEvent(new Event("change", { bubbles: true }));
    },
    focus: () => {
      const element = memory()[given.at];
      if (!element) return false;
      element.scrollIntoView({ block: "center", behavior: "instant" });
      element.focus();
      const active = element.getRootNode().activeElement;
      return active === element;
    },
    leave: () => { const element = memory()[given.at]; if (element) element.blur(); },
    // Silently: what was typed is to be gone, and not to be an act of its own.
    clear: () => {
      const element = memory()[given.at];
      if (!element) return;
      if (element.isContentEditable) { element.textContent = ""; return; }
      const kind = element.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
      Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(element, "");
    },
    empty: () => {
      const busy = `a, button, input, select, textarea, label, summary, video, audio, iframe, object, embed, dialog, ` +
        `[contenteditable], ${PRESSED}`;
      for (const [x, y] of [[5, 5], [innerWidth - 8, 9], [9, innerHeight - 11], [innerWidth / 2, innerHeight / 2],
        [innerWidth - 25, innerHeight / 3], [21, innerHeight / 2], [innerWidth / 2, innerHeight - 14]]) {
        const element = elementAt(x, y);
        if (element && !within(element, busy) && getComputedStyle(element).cursor !== "pointer" &&
          !question().inside.some((box) => box.contains(element))) return { x, y };
      }
      return null;
    },
    // Whether anything on the page could notice what a person does.
    scripted: () => runs().length > 0 || Boolean(document.querySelector("iframe, frame, object, embed")) ||
      [...document.querySelectorAll("*")].slice(0, MOST)
        .some((each) => [...each.attributes].some((one) => one.name.startsWith("on") || one.name === "ping")),
    height: () => ({ page: Math.max(document.documentElement.scrollHeight, document.body ? document.body.scrollHeight : 0),
      window: innerHeight, width: innerWidth }),
    // Without an answer: Chromium's would be a promise that is kept when the page's clock runs again.
    top: () => { window.scrollTo({ top: 0, behavior: "instant" }); },
    bottom: () => { window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" }); },
    // No form is sent and nobody leaves by a link while the audit presses what is there.
    guard: () => {
      if (window[`${MEMORY}: guarded`]) return;
      Object.defineProperty(window, `${MEMORY}: guarded`, { value: true, configurable: true });
      window.addEventListener("submit", (event) => { event.preventDefault(); }, true);
      window.addEventListener("click", (event) => {
        const path = event.composedPath();
        if (path.some((each) => each instanceof Element && each.matches("a[href], area[href]") && leaves(each))) {
          event.preventDefault();
        }
      }, true);
    },
    // Press one answer, in whichever frame the question is asked.
    answer: () => {
      const element = question().answers[given.kind];
      if (element) element.click();
      return Boolean(element);
    },
    question: () => {
      const { answers } = question();
      const kinds = Object.entries(answers).map(([kind, element]) => [kind, { at: remember(element),
        target: `${element.tagName === "A" ? "link" : "button"} "${name(element)}"` }]);
      return Object.fromEntries(kinds);
    },
  };
  return ask[command]();
}
