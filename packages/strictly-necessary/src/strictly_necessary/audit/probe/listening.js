/* Who listens to what a person does, who watches the document, and who sends. */
const nameOfNode = grab("Node", "nodeName"), typeOfInput = grab("HTMLInputElement", "type");
const WATCHED = { __proto__: null };
for (const type of "keydown keypress keyup input beforeinput change textInput compositionend submit mousemove mouseover mousedown \
mouseup click dblclick auxclick contextmenu wheel mousewheel pointermove pointerrawupdate pointerdown pointerup pointerover touchstart \
touchmove touchend scroll copy cut paste selectionchange selectstart devicemotion deviceorientation deviceorientationabsolute \
icecandidate icegatheringstatechange gamepadconnected".split(" ")) WATCHED[type] = true;

const kindOfTarget = (self) => {
  if (self === undefined || self === null || self === here) return "window";
  let name;
  try { name = lower(nameOfNode(self)); } catch { return "other"; }
  return name === "#document" ? "document" : cut(name, 30);
};
const noteListener = (self, type) => call("EventTarget.addEventListener", type, kindOfTarget(self));
const dumped = (node) => {
  const kind = kindOfTarget(node);
  return kind === "html" || kind === "body" || kind === "document" ? kind : "";
};
const coverListeners = () => {
  after("EventTarget", "addEventListener", "value", (self, args) => {
    const type = `${args[0]}`;
    if (WATCHED[type] && args[1]) noteListener(self, type);
  });
  for (const type in WATCHED) {
    for (const owner of ["", "Document", "HTMLElement", "SVGElement", "HTMLBodyElement"]) {
      after(owner, `on${type}`, "set", (self, args) => { if (args[0]) noteListener(self, type); });
    }
  }
  after("MutationObserver", "observe", "value", (self, args) => {
    const given = args[1] || {}, kind = kindOfTarget(args[0]);
    let seen = "";
    for (let i = 0; i < KEYS.length; i++) seen += given[KEYS[i]] ? `${seen && " "}${KEYS[i]}` : "";
    if (given.subtree) call("MutationObserver.observe", kind, seen);
  });
  after("Element", "outerHTML innerHTML", "get", (self, args, _, name) => {
    const kind = dumped(self);
    if (kind) call(`Element.${name}`, kind);
  });
  after("Element", "getHTML", "value", (self) => {
    const kind = dumped(self);
    if (kind) call("Element.getHTML", kind);
  });
  after("XMLSerializer", "serializeToString", "value", (self, args) => {
    const kind = dumped(args[0]);
    if (kind) call("XMLSerializer.serializeToString", kind);
  });
  after("Node", "cloneNode", "value", (self, args) => {
    const kind = args[0] && dumped(self);
    if (kind) call("Node.cloneNode", kind);
  });
  after("Document", "createTreeWalker createNodeIterator", "value", (self, args, _, name) => {
    const kind = dumped(args[0]);
    if (kind) call(`Document.${name}`, kind);
  });
};
const KEYS = ["childList", "attributes", "characterData", "subtree"];
const socketOf = grab("WebSocket", "url");
const coverSending = () => {
  after("Navigator", "sendBeacon", "value", (self, args) => call("Navigator.sendBeacon", cut(`${args[0]}`, 300)));
  after("WebSocket", "send", "value", (self) => call("WebSocket.send", socketOf(self)));
  after("RTCDataChannel", "send", "value", () => call("RTCDataChannel.send"));
  after("", "fetchLater", "value", () => call("fetchLater"));
};
