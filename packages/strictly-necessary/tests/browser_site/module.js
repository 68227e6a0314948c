/* As a module: the same, and one write of its own. */
import "./write.js";

globalThis.tryFromModule = () => {
  try { localStorage.setItem("from_a_module", "1"); } catch {}
  return globalThis.tryAll();
};
