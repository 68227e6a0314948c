try { indexedDB.open("tracker"); } catch { postMessage("refused"); }
