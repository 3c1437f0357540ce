// The service worker: where no server answers a link that was followed, a page of our own says so. It
// keeps that page and its looks, and nothing of what a learner typed.

const FILES = ["style.css", "look.js", "mark.svg", "vendor/inter.woff2", "vendor/serif.woff2"];
const PAGE = "/offline";
// This file's address changes with everything beside it, so each version has a cache of its own.
const PREFIX = "headwise-offline:";
const CACHE = PREFIX + location.pathname;
const KEPT = [PAGE, ...FILES.map((file) => new URL(file, location).pathname)];

addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)).then(() => skipWaiting()));
});

async function forgetOthers() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await clients.claim();
}

addEventListener("activate", (event) => event.waitUntil(forgetOthers()));

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(PAGE)));
  } else if (KEPT.includes(new URL(request.url).pathname)) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  }
});
