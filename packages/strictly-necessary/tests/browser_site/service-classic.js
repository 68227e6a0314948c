importScripts("/write.js"); self.oninstall = () => self.skipWaiting();
