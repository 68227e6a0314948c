const inner = new Worker("worker-attack.js");
inner.onmessage = (event) => postMessage(event.data);
