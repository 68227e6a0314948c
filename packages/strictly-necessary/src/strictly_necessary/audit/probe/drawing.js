/* What scripts draw, compute and measure: canvas, WebGL, WebGPU, sound, fonts. A picture is told when it is read back,
 * with what had been written on it and by whom; so nothing is told of pictures that are only shown. */
const canvasOf = grab("CanvasRenderingContext2D", "canvas"), offscreenOf = grab("OffscreenCanvasRenderingContext2D", "canvas");
const fontOf = grab("CanvasRenderingContext2D", "font"), offscreenFont = grab("OffscreenCanvasRenderingContext2D", "font");
const widthOf = grab("HTMLCanvasElement", "width"), heightOf = grab("HTMLCanvasElement", "height");
const offscreenWidth = grab("OffscreenCanvas", "width"), offscreenHeight = grab("OffscreenCanvas", "height");
const glCanvas = grab("WebGLRenderingContext", "canvas"), gl2Canvas = grab("WebGL2RenderingContext", "canvas");

// The first of two that can be called on it: the same interface has two names, in documents and in workers.
const either = (first, second, self) => {
  try { if (first) return first(self); } catch {}
  try { if (second) return second(self); } catch {}
};
const wide = (canvas) => either(widthOf, offscreenWidth, canvas), high = (canvas) => either(heightOf, offscreenHeight, canvas);

// What is on a canvas or a bitmap: letters and digits, who wrote them, whether WebGL drew, and bitmaps from elsewhere.
const pictures = weak();
const pictureOf = (surface) => {
  let picture = pictures.get(surface);
  if (!picture) pictures.set(surface, (picture = { __proto__: null, letters: 0, script: "", gl: false, bitmap: false }));
  return picture;
};
const copyPicture = (from, to) => {
  const source = pictures.get(from), target = pictureOf(to);
  if (source) {
    target.letters += source.letters;
    if (source.script) target.script = source.script;
    target.gl = target.gl || source.gl;
    target.bitmap = target.bitmap || source.bitmap;
  } else if (bitmapWidth && either(bitmapWidth, null, from) !== undefined) target.bitmap = true;
};
const abs = Math.abs, bitmapCanvas = grab("ImageBitmapRenderingContext", "canvas");
const bitmapWidth = grab("ImageBitmap", "width"), LETTER = /[\p{L}\p{N}]/gu;
const wipe = (surface) => {
  const picture = pictures.get(surface);
  if (picture) picture.letters = 0;
};
const tellPicture = (api, surface, width, height) => {
  const picture = pictureOf(surface);
  call(api, width, height, picture.letters, picture.script, picture.gl ? "webgl" : picture.bitmap ? "bitmap" : "2d");
};

const frameWidth = grab("VideoFrame", "displayWidth"), frameHeight = grab("VideoFrame", "displayHeight");
const CONTEXTS = "CanvasRenderingContext2D OffscreenCanvasRenderingContext2D", CANVASES = "HTMLCanvasElement OffscreenCanvas";
const surfaceOf = (context) => either(canvasOf, offscreenOf, context);
const coverCanvas = () => {
  after(CONTEXTS, "fillText strokeText", "value", (self, args, _, name) => {
    const text = cut(`${args[0]}`, 500), picture = pictureOf(surfaceOf(self));
    let letters = 0;
    LETTER.lastIndex = 0;
    while (exec(LETTER, text)) letters++;
    picture.letters += letters;
    const entry = call(`CanvasRenderingContext2D.${name}`);
    if (entry) picture.script = entry.script;
  });
  after(CONTEXTS, "clearRect", "value", (self, args) => {
    const surface = surfaceOf(self), covers = args[0] + args[2] >= wide(surface) && args[1] + args[3] >= high(surface);
    if (args[0] <= 0 && args[1] <= 0 && covers) wipe(surface);
  });
  after(CANVASES, "width height", "set", (self) => wipe(self));
  after(CONTEXTS, "drawImage", "value", (self, args) => copyPicture(args[0], surfaceOf(self)));
  after(CONTEXTS, "getImageData", "value", (self, args) => tellPicture("CanvasRenderingContext2D.getImageData",
    surfaceOf(self), abs(args[2]), abs(args[3])));
  after(CANVASES, "toDataURL toBlob convertToBlob", "value", (self, args, _, name, type) => {
    tellPicture(`${type}.${name}`, self, wide(self), high(self));
  });
  after(CANVASES, "getContext", "value", (self, args, result) => {
    if (result && find(lower(`${args[0]}`), "webgl") >= 0) pictureOf(self).gl = true;
  });
  after("OffscreenCanvas", "transferToImageBitmap", "value", (self, args, bitmap) => {
    copyPicture(self, bitmap);
    wipe(self);
    if (pictureOf(bitmap).letters) call("OffscreenCanvas.transferToImageBitmap", pictureOf(bitmap).letters);
  });
  after("HTMLCanvasElement", "transferControlToOffscreen", "value", (self, args, offscreen) => copyPicture(self, offscreen));
  after("", "createImageBitmap", "value", (self, args, promise) => {
    if (pictures.has(args[0])) settled(promise, (bitmap) => copyPicture(args[0], bitmap));
  });
  after("ImageBitmapRenderingContext", "transferFromImageBitmap", "value", (self, args) => {
    if (args[0]) copyPicture(args[0], bitmapCanvas(self));
  });
  made("VideoFrame", (args, frame) => { if (frame) copyPicture(args[0], frame); });
  after("VideoFrame", "copyTo", "value", (self) => {
    if (pictures.has(self) && pictureOf(self).letters) tellPicture("VideoFrame.copyTo", self, frameWidth(self), frameHeight(self));
  });
  after(CONTEXTS, "measureText", "value", (self, args) => {
    const font = either(fontOf, offscreenFont, self);
    noteFamily("CanvasRenderingContext2D.measureText", `${args[0]}`, familyIn(font));
  });
};

const GLS = "WebGLRenderingContext WebGL2RenderingContext";
const coverWebGL = () => {
  after(GLS, "getParameter", "value", (self, args) => call("WebGLRenderingContext.getParameter", args[0]));
  after(GLS, "getExtension", "value", (self, args) => call("WebGLRenderingContext.getExtension", args[0]));
  after(GLS, "getSupportedExtensions getContextAttributes", "value", (self, args, _, name) => call(`WebGLRenderingContext.${name}`));
  after(GLS, "getShaderPrecisionFormat", "value", (self, args) =>
    call("WebGLRenderingContext.getShaderPrecisionFormat", args[0], args[1]));
  after(GLS, "readPixels", "value", (self, args) => {
    const surface = either(glCanvas, gl2Canvas, self), picture = pictureOf(surface);
    picture.gl = true;
    tellPicture("WebGLRenderingContext.readPixels", surface, args[2], args[3]);
  });
  after(GLS, "texImage2D texSubImage2D", "value", (self, args) => {
    const image = args[args.length - 1];
    if (image && typeof image === "object" && pictures.has(image)) copyPicture(image, either(glCanvas, gl2Canvas, self));
  });
  after("GPU", "requestAdapter", "value", () => call("GPU.requestAdapter"));
  after("GPUAdapterInfo", "vendor architecture device description", "get", (self, args, _, name) => call(`GPUAdapterInfo.${name}`));
  after("GPUAdapter", "requestAdapterInfo", "value", () => call("GPUAdapter.requestAdapterInfo"));
};

// --- Sound: whether what is read was computed or had been recorded ------------------------------------------------

const contextOf = grab("AudioNode", "context"), renderedOf = grab("OfflineAudioCompletionEvent", "renderedBuffer");
const sounds = weak();
let decoded = false;
const soundOf = (context) => {
  let sound = sounds.get(context);
  if (!sound) sounds.set(context, (sound = { __proto__: null, source: false, compressor: false }));
  return sound;
};
const origin = (sound) => (!sound ? "other" : sound.source ? "computed" : sound.compressor && !decoded ? "computed" : "other");
const coverSound = () => {
  after("BaseAudioContext", "createOscillator createConstantSource createDynamicsCompressor createAnalyser createPeriodicWave",
    "value", (self, args, _, name) => {
      const sound = soundOf(self);
      if (name === "createOscillator" || name === "createConstantSource") sound.source = true;
      if (name === "createDynamicsCompressor") sound.compressor = true;
      call(`BaseAudioContext.${name}`);
    });
  after("BaseAudioContext", "decodeAudioData", "value", () => { decoded = true; });
  made("OscillatorNode ConstantSourceNode DynamicsCompressorNode", (args, node, name) => {
    const sound = soundOf(args[0]);
    if (name === "DynamicsCompressorNode") sound.compressor = true;
    else sound.source = true;
    call(`new ${name}`);
  });
  made("OfflineAudioContext", () => call("new OfflineAudioContext"));
  after("OfflineAudioContext", "startRendering", "value", (self, args, promise) => {
    call("OfflineAudioContext.startRendering", origin(sounds.get(self)));
    settled(promise, (buffer) => sounds.set(buffer, soundOf(self)));
  });
  after("OfflineAudioCompletionEvent", "renderedBuffer", "get", (self, args, buffer) => {
    if (!sounds.has(buffer)) sounds.set(buffer, soundOf(eventTarget(self)));
  });
  after("AudioBuffer", "getChannelData copyFromChannel", "value", (self, args, _, name) =>
    call(`AudioBuffer.${name}`, origin(sounds.get(self))));
  after("AnalyserNode", "getFloatFrequencyData getByteFrequencyData getFloatTimeDomainData getByteTimeDomainData", "value",
    (self, args, _, name) => call(`AnalyserNode.${name}`, origin(sounds.get(contextOf(self)))));
  after("DynamicsCompressorNode", "reduction", "get", (self) => call("DynamicsCompressorNode.reduction",
    origin(sounds.get(contextOf(self)))));
};
const eventTarget = grab("Event", "target");

// --- Fonts: which text is measured in which family -----------------------------------------------------------------

const FAMILY = /(?:^|\s)(?:[\d.]+(?:[a-z]+|%)|(?:xx?-|xxx-)?(?:small|large)|medium|smaller|larger|calc\([^)]*\))(?:\s*\/\s*\S+)?\s+(.*)$/i;
const FIRST = /^\s*(?:"([^"]*)"|'([^']*)'|([^,]*))/;
const firstOf = (families) => {
  const found = exec(FIRST, families);
  return found ? cut(lower(trim(found[1] || found[2] || found[3] || "")), 80) : "";
};
const familyIn = (font) => {
  const found = exec(FAMILY, `${font}`);
  return found ? firstOf(found[1]) : "";
};
const propertyOf = (style, name) => apply(getProperty, style, [name]);
const getProperty = here.CSSStyleDeclaration && here.CSSStyleDeclaration.prototype.getPropertyValue;
const computed = here.getComputedStyle, childOf = grab("Element", "firstElementChild"), textIn = grab("Node", "textContent");
const parentOf = grab("Node", "parentElement"), commonOf = grab("Range", "commonAncestorContainer");
let measured = 0, measuredIn = 0, textCount = 0;
const MEASURES = 1000, TEXTS = 5000, families = { __proto__: null };
// A text counts from its second family on: most are measured in one.
const noteFamily = (api, text, family) => {
  const key = cut(text, 40), first = families[key];
  if (first === undefined) {
    if (textCount++ < TEXTS) families[key] = family;
  } else if (first === "") call(api, key, family);
  else if (first !== family) {
    families[key] = "";
    call(api, key, first);
    call(api, key, family);
  }
};
const noteMeasure = (element) => {
  if (measuredIn !== round) {
    measuredIn = round;
    measured = 0;
  }
  if (measured++ > MEASURES || childOf(element)) return;
  const text = textIn(element);
  if (!text || text.length > 500 || !trim(text)) return;
  noteFamily("HTMLElement.measure", text, firstOf(propertyOf(apply(computed, here, [element]), "font-family")));
};
const coverFonts = () => {
  if (here.document) {
    after("HTMLElement", "offsetWidth offsetHeight", "get", noteMeasure);
    after("Element", "clientWidth clientHeight scrollWidth scrollHeight", "get", noteMeasure);
    after("Element", "getBoundingClientRect getClientRects", "value", noteMeasure);
    after("SVGTextContentElement", "getComputedTextLength getSubStringLength getExtentOfChar", "value", noteMeasure);
    after("SVGGraphicsElement", "getBBox", "value", noteMeasure);
    after("Range", "getBoundingClientRect getClientRects", "value", (self) => {
      let at = commonOf(self);
      try { childOf(at); } catch { at = parentOf(at); }
      noteMeasure(at);
    });
  }
  after("FontFaceSet", "check", "value", (self, args) => call("FontFaceSet.check", familyIn(args[0])));
  made("FontFace", (args) => {
    const found = typeof args[1] === "string" && exec(/local\(\s*["']?([^"')]*)/i, args[1]);
    if (found) call("new FontFace", cut(lower(found[1]), 80));
  });
  after("", "queryLocalFonts", "value", () => call("Window.queryLocalFonts"));
};
