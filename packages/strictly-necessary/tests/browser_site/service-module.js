import "/write.js"; self.oninstall = () => self.skipWaiting();
