// The service worker: shows notifications, also pushed ones, and an offline page when the browser
// has no network. The server puts these constants in front of it, as /sw.js: STATIC, the address of
// the static files; OFFLINE, the address of the offline page; VERSION, a digest of that page;
// SHELL, the addresses of the files that the offline page needs. The worker caches this page and
// these files, which are the same for everybody, and nothing else: no page of a person, no JSON.

/* global STATIC, OFFLINE, VERSION, SHELL */

const ICON = `${STATIC}icons/icon-192.png`;
const BADGE = `${STATIC}icons/badge-96.png`;
const CACHE = `shell:${VERSION}`;
const SHELL_PATHS = new Set(SHELL);
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 32_000;
const FETCH_TIMEOUT_MS = 30_000;
const PROBE_AFTER_MS = 5000;
const PROBE_TIMEOUT_MS = 3000;

/** Caches a file, in up to seven attempts within some minutes. A bad network loses an answer now and
 * then, and the browser would begin the installation anew only at the next page. */
async function store(cache, address) {
  for (let wait = FIRST_WAIT_MS; ; wait *= 2) {
    try {
      return await cache.add(
        new Request(address, { signal: AbortSignal.timeout?.(FETCH_TIMEOUT_MS) }),
      );
    } catch (error) {
      if (wait > MAX_WAIT_MS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

async function install() {
  const cache = await caches.open(CACHE);
  await Promise.all([...SHELL, OFFLINE].map((address) => store(cache, address)));
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

const fetchPage = async ({ request, preloadResponse }) => (await preloadResponse) ?? fetch(request);

/** Waits for the response without a time limit while the server answers at /healthz; rejects when
 * the request fails or the server stops answering at /healthz. */
async function whileServerLives(response) {
  let pending = true;
  const ended = response.finally(() => {
    pending = false;
  });
  ended.catch(() => {});
  for (;;) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, PROBE_AFTER_MS))]);
    if (!pending) return response;
    await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout?.(PROBE_TIMEOUT_MS) });
  }
}

/** The requested page; without network, or with a server that hangs, the offline page at the same
 * address. */
async function page(event) {
  try {
    return await whileServerLives(fetchPage(event));
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error();
  }
}

const fromCache = async (request) => (await caches.match(request)) ?? fetch(request);

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (SHELL_PATHS.has(new URL(request.url).pathname)) event.respondWith(fromCache(request));
});

/** The pages of this site, also those that this worker does not control yet. */
const pages = () => self.clients.matchAll({ type: "window", includeUncontrolled: true });

async function open(path) {
  const page = (await pages()).find(({ url }) => new URL(url).pathname === path);
  await (page ? page.focus() : self.clients.openWindow(path));
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.path));
});

/** Shows a notification in place of an older one with the same tag. If that one has the same event
 * (`id`), because a server that died may send twice, it does not ring. If it has a later event,
 * because pushes may overtake each other, it is shown again without a sound: browsers withdraw a
 * subscription whose pushes show nothing. Resolves to whether the given notification is shown. */
async function show({ title, body, tag, path, id }) {
  const given = { title, body, data: { path, id } };
  const shown = await self.registration.getNotifications({ tag });
  const known = shown.find(({ data }) => data?.id >= id);
  const newest = known?.data.id > id ? known : given;
  await self.registration.showNotification(newest.title, {
    body: newest.body,
    data: newest.data,
    tag,
    icon: ICON,
    badge: BADGE,
    lang: "",
    renotify: !known,
    silent: Boolean(known),
  });
  return newest === given;
}

/** Whether a page of a logged-in person is visible in this browser: it shows new messages itself, and
 * holds a lock of core/activity.js. Other windows hold none, such as the RQ dashboard or a picture. */
async function isViewed() {
  const { held = [] } = (await self.navigator.locks?.query()) ?? {};
  return held.some(({ name }) => name.startsWith("looking:"));
}

/** Shows a pushed message, unless such a page is visible; a test message always. */
async function pushed(message) {
  if (message.tag !== "test" && (await isViewed())) return;
  if (await show(message)) await self.navigator.setAppBadge?.(message.badge);
}

let lastPush = Promise.resolve();

/** Handles one push after the other: two at once would each miss what the other shows. */
function handlePush(event) {
  const handle = () => pushed(event.data.json());
  lastPush = lastPush.then(handle, handle);
  event.waitUntil(lastPush);
}

self.addEventListener("push", handlePush);

/** Stores the subscription that the browser has renewed, because pushes to the old one get lost. The
 * server takes it only if the person who is logged in now has switched notifications on. If this
 * fails, the next page stores it (push/subscription.js). */
async function renewed({ oldSubscription, newSubscription }) {
  const options = oldSubscription?.options ?? { userVisibleOnly: true };
  const { endpoint, keys } = (
    newSubscription ?? (await self.registration.pushManager.subscribe(options))
  ).toJSON();
  const body = JSON.stringify({ endpoint, ...keys });
  const headers = { "Content-Type": "application/json" };
  await fetch("/push/subscription", { method: "PATCH", headers, body });
}

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renewed(event)));
