// The service worker: shows the page /offline when the server does not answer a navigation. It caches
// that page with its files, and nothing that a learner typed.

const FILES = ["style.css", "theme.js", "mark.svg", "vendor/inter.woff2", "vendor/serif.woff2"];
const OFFLINE_PAGE = "/offline";
// The address of this file changes with every static file, so each version has its own cache.
const CACHE_PREFIX = "headwise-offline:";
const CACHE_NAME = CACHE_PREFIX + location.pathname;
const CACHED_PATHS = [OFFLINE_PAGE, ...FILES.map((file) => new URL(file, location).pathname)];

addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE_NAME)
      .then((cache) => cache.addAll(CACHED_PATHS))
      .then(() => skipWaiting()),
  );
});

async function deleteOldCaches() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(CACHE_PREFIX) && name !== CACHE_NAME);
  await Promise.all(old.map((name) => caches.delete(name)));
  await clients.claim();
}

addEventListener("activate", (event) => event.waitUntil(deleteOldCaches()));

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE_PAGE)));
  } else if (CACHED_PATHS.includes(new URL(request.url).pathname)) {
    event.respondWith(caches.match(request).then((cached) => cached ?? fetch(request)));
  }
});
