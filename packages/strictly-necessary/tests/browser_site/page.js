/* Starts workers the way a page does. Addresses are texts, as everybody writes them. */
globalThis.askWorker = (type, address, options) => new Promise((done, failed) => {
  const worker = new globalThis[type](address, options);
  worker.onerror = (event) => failed(new Error(event.message || "the worker did not start"));
  const port = worker.port || worker;
  port.onmessage = (event) => done(event.data);
  port.postMessage("go");
});
globalThis.askServiceWorker = async (address, options) => {
  const registration = await navigator.serviceWorker.register(address, options);
  const worker = registration.installing || registration.waiting || registration.active;
  await new Promise((done, failed) => {
    const look = () => (worker.state === "activated" ? done() : worker.state === "redundant" && failed(new Error("redundant")));
    worker.onstatechange = look;
    look();
  });
  return new Promise((done) => {
    navigator.serviceWorker.onmessage = (event) => done(event.data);
    navigator.serviceWorker.startMessages();
    worker.postMessage("go");
  });
};
