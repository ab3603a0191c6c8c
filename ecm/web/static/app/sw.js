// The service worker. Above this line the service wrote VERSION, SHELL (every file of that version) and, where the
// browser can, `send` of outbox.js.
//
// It answers for the app's page and its files, from one version at a time, and for nothing else: an answer about
// people is never kept. A tag's address opens the app without a network too.

const CACHE = `ecm-shell-${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(store().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOthers().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin) return;
  if (request.mode === "navigate" && address.pathname === "/app") event.respondWith(page(request));
  else if (request.mode === "navigate" && address.pathname.startsWith("/t/"))
    event.respondWith(Response.redirect(`/app?tag=${encodeURIComponent(address.pathname + address.search)}`, 302));
  else if (SHELL.includes(address.pathname) && address.pathname !== "/app") event.respondWith(file(request));
});

self.addEventListener("sync", (event) => {
  if (event.tag === "ecm-send" && send) event.waitUntil(sendAndTell());
});

async function store() {
  const cache = await caches.open(CACHE);
  await cache.addAll(SHELL.map((path) => new Request(path, { cache: "reload" })));
}

async function forgetOthers() {
  for (const name of await caches.keys()) if (name.startsWith("ecm-shell-") && name !== CACHE) await caches.delete(name);
}

async function page(request) {
  const kept = await caches.match("/app", { cacheName: CACHE });
  return kept || fetch(request);
}

async function file(request) {
  const kept = await caches.match(request, { cacheName: CACHE, ignoreSearch: true });
  return kept || fetch(request);
}

/** Throws while something is left, so that the browser tries again by itself. */
async function sendAndTell() {
  const { left } = await send();
  for (const client of await self.clients.matchAll()) client.postMessage("sent");
  if (left) throw new Error("not all of it is sent");
}
