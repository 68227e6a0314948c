/* What scripts ask about the browser, the screen and the device; and places to keep things that no policy can name. */
const asked = (types, names, part, label) => each(types, names, part, (type, name) => {
  const api = `${label || type}.${name}`;
  return (native, self, args) => {
    const result = apply(native, self, args);
    try { call(api); } catch {}
    return result;
  };
});
const NAVIGATORS = "Navigator WorkerNavigator";
const coverTraits = () => {
  asked(NAVIGATORS, "hardwareConcurrency deviceMemory platform plugins mimeTypes languages language userAgent appVersion \
appName appCodeName product productSub vendor vendorSub oscpu maxTouchPoints doNotTrack cookieEnabled webdriver \
pdfViewerEnabled connection onLine userAgentData", "get", "Navigator");
  asked("Navigator", "javaEnabled getGamepads getBattery requestMIDIAccess getInstalledRelatedApps", "value");
  asked("NavigatorUAData", "brands mobile platform", "get");
  after("NavigatorUAData", "getHighEntropyValues", "value", (self, args) => {
    for (let i = 0; i < args[0].length && i < 20; i++) call("NavigatorUAData.getHighEntropyValues", args[0][i]);
  });
  asked("NetworkInformation", "effectiveType rtt downlink downlinkMax saveData type", "get");
  asked("Screen", "width height availWidth availHeight availLeft availTop colorDepth pixelDepth orientation isExtended", "get");
  asked("", "devicePixelRatio outerWidth outerHeight screenX screenY screenLeft screenTop", "get", "Window");
  asked("", "getScreenDetails", "value", "Window");
  asked("Performance", "memory", "get");
  asked("Date", "getTimezoneOffset", "value");
  asked("StorageManager", "estimate", "value");
  asked("Keyboard", "getLayoutMap", "value");
  asked("SpeechSynthesis", "getVoices", "value");
  asked("MediaDevices", "enumerateDevices getUserMedia getDisplayMedia", "value");
  asked("USB HID Serial Bluetooth", "getDevices getPorts", "value");
  asked("BaseAudioContext", "sampleRate", "get");
  asked("AudioContext", "baseLatency outputLatency", "get");
  asked("AudioDestinationNode", "maxChannelCount", "get");
  after("", "matchMedia", "value", (self, args) => call("Window.matchMedia", cut(`${args[0]}`, 100)));
  after("HTMLMediaElement", "canPlayType", "value", (self, args) => call("HTMLMediaElement.canPlayType", args[0]));
  after("MediaSource! MediaRecorder!", "isTypeSupported", "value", (self, args) => call("MediaSource.isTypeSupported", args[0]));
  after("RTCRtpSender! RTCRtpReceiver!", "getCapabilities", "value", (self, args) => call("RTCRtpSender.getCapabilities", args[0]));
  after("MediaCapabilities", "decodingInfo encodingInfo", "value", (self, args, _, name) => {
    const given = args[0] && (args[0].video || args[0].audio);
    call(`MediaCapabilities.${name}`, given && given.contentType);
  });
  after("Navigator", "requestMediaKeySystemAccess", "value", (self, args) => call("Navigator.requestMediaKeySystemAccess", args[0]));
  after("Permissions", "query", "value", (self, args) => call("Permissions.query", args[0].name));
  if (here.Intl && Intl.DateTimeFormat) {
    coverOn(Intl.DateTimeFormat.prototype, "DateTimeFormat.resolvedOptions", "resolvedOptions", "value", (native, self, args) => {
      const result = apply(native, self, args);
      try { call("DateTimeFormat.resolvedOptions"); } catch {}
      return result;
    });
  }
};
const coverSensors = () => {
  made("Accelerometer LinearAccelerationSensor GravitySensor Gyroscope Magnetometer AbsoluteOrientationSensor \
RelativeOrientationSensor AmbientLightSensor IdleDetector", (args, result, name) => call(`new ${name}`));
  asked("PressureObserver", "observe", "value");
  asked("BatteryManager", "charging chargingTime dischargingTime level", "get");
};
const noteServers = (api, given) => {
  const servers = given && given.iceServers;
  if (!servers || !servers.length) return call(api, "");
  for (let i = 0; i < servers.length && i < 10; i++) {
    const urls = servers[i].urls || servers[i].url;
    if (typeof urls === "string") call(api, urls);
    else for (let n = 0; urls && n < urls.length && n < 10; n++) call(api, urls[n]);
  }
};
const coverConnections = () => {
  made("RTCPeerConnection", (args) => noteServers("new RTCPeerConnection", args[0]));
  after("RTCPeerConnection", "setConfiguration", "value", (self, args) => noteServers("RTCPeerConnection.setConfiguration", args[0]));
  asked("RTCPeerConnection", "createDataChannel createOffer createAnswer setLocalDescription addTrack addTransceiver getStats", "value");
  asked("RTCPeerConnection", "localDescription currentLocalDescription pendingLocalDescription", "get");
  asked("RTCPeerConnection", "onicecandidate onicegatheringstatechange", "set");
  asked("RTCIceCandidate", "candidate address", "get");
};

// Places that only grow: none of them can be declared.
const coverPlaces = () => {
  const ask = (types, names) => before(types, names, "value", (self, args, name, type) =>
    call(`${type === "SharedStorage" ? type : type || "Window"}.${name}`));
  ask("SharedStorage", "set append delete clear get run selectURL batchUpdate createWorklet");
  ask("Navigator", "joinAdInterestGroup updateAdInterestGroups runAdAuction");
  ask("Document", "browsingTopics requestStorageAccess requestStorageAccessFor");
  ask("StorageBucketManager", "open");
  ask("", "webkitRequestFileSystem");
  ask("BackgroundFetchManager", "fetch");
  ask("PeriodicSyncManager SyncManager", "register");
  ask("CookieStoreManager", "subscribe");
  ask("ContentIndex", "add");
  ask("NavigatorLogin", "setStatus");
  if (here.document) after("", "name", "set", (self, args) => call("Window.name", cut(`${args[0]}`, 300)));
};
