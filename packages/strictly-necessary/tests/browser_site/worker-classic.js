importScripts("write.js");
self.place = location.pathname;
