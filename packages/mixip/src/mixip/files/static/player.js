// The waveform follows the sound, and a click on it moves there. The browser's own controls stay in charge.
function dress(box) {
  const wave = box.querySelector(".wave");
  const audio = box.querySelector("audio");
  if (!wave || !audio || box.classList.contains("seekable")) return;
  const length = () => (Number.isFinite(audio.duration) ? audio.duration : 0);
  const follow = () => {
    const share = length() ? audio.currentTime / length() : 0;
    wave.style.setProperty("--played", `${share * 100}%`);
  };
  const seek = (event) => {
    const { left, width } = wave.getBoundingClientRect();
    const share = (event.clientX - left) / width;
    const go = () => { audio.currentTime = share * length(); };
    if (length()) go();
    else {
      audio.addEventListener("loadedmetadata", go, { once: true });
      audio.load();
    }
    audio.play().catch(() => {}); // the browser may want a click on its own control first
  };
  for (const name of ["timeupdate", "seeked", "ended"]) audio.addEventListener(name, follow);
  wave.addEventListener("click", seek);
  box.classList.add("seekable");
}

const dressAll = () => document.querySelectorAll("[data-sound]").forEach(dress);
document.addEventListener("mixip:refreshed", dressAll);
dressAll();
