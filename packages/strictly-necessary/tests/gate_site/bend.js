/* A script of the page that bends what the gate might look at, each as far as it can. */
const YES = "__Host-choice=1:counter.player.tab.events.pixels.beacon.log:";
for (const bend of [
  () => Object.defineProperty(Document.prototype, "cookie", { get: () => YES, set() {} }),
  () => Object.defineProperty(document, "cookie", { get: () => YES }),
  () => { Date.now = () => 0; },
  () => Object.defineProperty(navigator, "globalPrivacyControl", { get: () => false }),
  () => { globalThis.fetch = async () => new Response('{"version":"1","seconds":60,"items":[]}'); },
  () => { String.prototype.slice = () => ""; },
  () => { Array.prototype.includes = Array.prototype.indexOf = () => true; },
  () => { Promise.prototype.then = function () { return this; }; },
  () => { Object.prototype.answer = "granted"; },
  () => { RegExp.prototype.test = () => true; },
  () => { RegExp.prototype.exec = () => ["x", "1", "counter.player.tab.events.pixels.beacon.log", ""]; },
  () => { document.documentElement.dataset.bent = document.cookie === YES; },
]) try { bend(); } catch {}
