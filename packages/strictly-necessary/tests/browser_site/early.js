/* Runs while the page is being read, right after a frame. */
try { frames[0].localStorage.setItem("tracker", "1"); } catch (error) { document.documentElement.dataset.early = error.name; }
