self.oninstall = () => self.skipWaiting();
