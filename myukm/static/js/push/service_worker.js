// The service worker: shows notifications, pushed ones too, and a page of our own where the browser
// has no network. Served as /sw.js behind lines that define STATIC, the address of the static files,
// OFFLINE, that page, VERSION, a digest of it, and SHELL, the files it needs. It stores these, which
// are the same for everybody, and nothing else: no page of a person, no JSON.

/* global STATIC, OFFLINE, VERSION, SHELL */

const ICON = `${STATIC}icons/icon-192.png`;
const BADGE = `${STATIC}icons/badge-96.png`;
const CACHE = `shell:${VERSION}`;
const STORED = new Set(SHELL);
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 32_000;
const LOST_AFTER_MS = 30_000;
const PROBE_AFTER_MS = 5000;
const PROBE_TIMEOUT_MS = 3000;

/** Stores a file. A bad network loses an answer now and then, and the browser would begin to install
 * anew only at the next page, so one that is lost is asked for again for a minute. */
async function keep(cache, address) {
  for (let wait = FIRST_WAIT_MS; ; wait *= 2) {
    try {
      return await cache.add(
        new Request(address, { signal: AbortSignal.timeout?.(LOST_AFTER_MS) }),
      );
    } catch (error) {
      if (wait > MAX_WAIT_MS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

async function install() {
  const cache = await caches.open(CACHE);
  await Promise.all([...SHELL, OFFLINE].map((address) => keep(cache, address)));
  await self.skipWaiting();
}

async function activate() {
  const old = (await caches.keys()).filter((name) => name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));

const asked = async ({ request, preloadResponse }) => (await preloadResponse) ?? fetch(request);

/** The answer, unless the server says nothing at all: a page may take long, but then /healthz does
 * not. */
async function whileServerLives(answer) {
  let waits = true;
  const ended = answer.finally(() => {
    waits = false;
  });
  ended.catch(() => {});
  for (;;) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, PROBE_AFTER_MS))]);
    if (!waits) return answer;
    await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout?.(PROBE_TIMEOUT_MS) });
  }
}

/** The page that was asked for; without network, or with a server that hangs, that of OFFLINE, at the
 * same address. */
async function page(event) {
  try {
    return await whileServerLives(asked(event));
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error();
  }
}

const stored = async (request) => (await caches.match(request)) ?? fetch(request);

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (STORED.has(new URL(request.url).pathname)) event.respondWith(stored(request));
});

/** The pages of this site, also those that this worker does not control yet. */
const pages = () => self.clients.matchAll({ type: "window", includeUncontrolled: true });

async function open(path) {
  const there = (await pages()).find(({ url }) => new URL(url).pathname === path);
  await (there ? there.focus() : self.clients.openWindow(path));
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.path));
});

/** Shows a notification in place of an older one with its tag. One that is shown already does not
 * ring again: a server that died may send twice. */
async function show({ title, body, tag, path, id }) {
  const shown = await self.registration.getNotifications({ tag });
  const known = shown.some(({ data }) => data?.id >= id);
  const data = { path, id };
  const icons = { icon: ICON, badge: BADGE, lang: "" };
  await self.registration.showNotification(title, {
    ...icons,
    body,
    tag,
    data,
    renotify: !known,
    silent: known,
  });
}

/** Somebody who views a page of ours hears of it there, unless they asked for a trial. */
async function pushed(message) {
  const viewed = (await pages()).some(({ visibilityState }) => visibilityState === "visible");
  if (viewed && message.tag !== "test") return;
  await show(message);
  await self.navigator.setAppBadge?.(message.badge);
}

self.addEventListener("push", (event) => event.waitUntil(pushed(event.data.json())));

/** The browser renewed its subscription: the server must know the new one, or it rings no more. */
async function renewed({ oldSubscription, newSubscription }) {
  const options = oldSubscription?.options ?? { userVisibleOnly: true };
  const { endpoint, keys } = (
    newSubscription ?? (await self.registration.pushManager.subscribe(options))
  ).toJSON();
  const body = JSON.stringify({ endpoint, ...keys });
  const headers = { "Content-Type": "application/json" };
  await fetch("/push/subscription", { method: "PUT", headers, body });
}

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renewed(event)));
