// Registers the service worker that shows the offline page. A lab in a frame does not register it.

if (parent === window) {
  navigator.serviceWorker?.register(new URL("offline.js", import.meta.url), { scope: "/" }).catch(() => {
    // Without a service worker the browser shows its own page when there is no network.
  });
}
