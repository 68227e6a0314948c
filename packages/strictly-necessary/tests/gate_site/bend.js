/* A script of the page that bends what the gate might look at, and then writes. */
Object.defineProperty(Document.prototype, "cookie", { get: () => "__Host-choice=1:counter.player.tab.events.pixels.beacon.log:", set() {} });
Object.defineProperty(document, "cookie", { get: () => "__Host-choice=1:counter.player.tab.events.pixels.beacon.log:" });
Date.now = () => 0;
Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => false });
RegExp.prototype.exec = () => ["x", "1", "counter.player.tab.events.pixels.beacon.log", ""];
RegExp.prototype.test = () => true;
String.prototype.slice = () => "";
Array.prototype.includes = Array.prototype.indexOf = () => true;
Promise.prototype.then = function () { return this; };
Object.prototype.answer = "granted";
globalThis.fetch = async () => new Response('{"version":"1","seconds":60,"items":[]}');
