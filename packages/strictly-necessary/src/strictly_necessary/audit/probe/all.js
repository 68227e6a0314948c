/* The order of covering. What is covered last hides the rest. */
const coverAll = () => {
  coverStorage();
  coverCanvas();
  coverWebGL();
  coverSound();
  coverFonts();
  coverTraits();
  coverSensors();
  coverConnections();
  coverPlaces();
  coverListeners();
  coverSending();
  coverText();
};
// What was only counted is told before the page goes.
if (here.document) here.addEventListener("pagehide", () => { try { flush(true); } catch {} }, true);
