// One EventSource for the page. What it asks for stands on <html>: data-topics, data-cursor.
// Sharing a connection between tabs would take the place of `connect`; listeners stay as they are.

const TYPES = [
  "chat.message",
  "chat.edited",
  "chat.deleted",
  "chat.typing",
  "presence",
  "unread",
  "sync.progress",
  "sync.log",
  "sync.siswa",
  "queue.health",
  "alert",
];
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;

const root = document.documentElement;
const listeners = new Map();
let cursor = root.dataset.cursor || null;
let source = null;
let timer = 0;
let failures = 0;

/** Calls `listener(data)` on each event of that type; also "open", "lost", "reset" and "ended". */
export function on(type, listener) {
  listeners.set(type, [...(listeners.get(type) ?? []), listener]);
}

/** Goes on from here after the state was loaded afresh. */
export function resumeFrom(newCursor) {
  cursor = newCursor;
  reconnect(0);
}

function emit(type, data) {
  for (const listener of listeners.get(type) ?? []) listener(data);
}

function address() {
  const query = new URLSearchParams({ topics: root.dataset.topics.trim().split(/\s+/).join(",") });
  if (cursor) query.set("cursor", cursor);
  return `/stream?${query}`;
}

function mark(state) {
  root.dataset.stream = state;
}

function opened() {
  failures = 0;
  mark("open");
  emit("open");
}

function received(event) {
  if (event.lastEventId) cursor = event.lastEventId;
  emit(event.type, JSON.parse(event.data));
}

function forgotten(event) {
  cursor = event.lastEventId || null;
  emit("reset", JSON.parse(event.data));
}

function disconnect(state) {
  clearTimeout(timer);
  source?.close();
  source = null;
  mark(state);
}

function reconnect(wait) {
  disconnect("waiting");
  timer = setTimeout(connect, wait);
}

function backOff() {
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
  failures += 1;
  return most * (0.5 + Math.random() / 2);
}

/** EventSource hides why it was refused; a plain request tells. */
async function refusal() {
  const abort = new AbortController();
  try {
    const { status } = await fetch(address(), { signal: abort.signal });
    return status;
  } catch {
    return 0;
  } finally {
    abort.abort();
  }
}

async function lost() {
  const refused = source.readyState === EventSource.CLOSED;
  reconnect(backOff());
  emit("lost");
  if (!refused || failures > 1) return;
  if ((await refusal()) === 401) {
    disconnect("closed");
    emit("ended");
  }
}

function connect() {
  source = new EventSource(address());
  source.addEventListener("open", opened);
  source.addEventListener("error", lost);
  source.addEventListener("reset", forgotten);
  source.addEventListener("bye", (event) => reconnect(JSON.parse(event.data).retry_ms));
  for (const type of TYPES) source.addEventListener(type, received);
}

function start() {
  if (!root.dataset.topics) return;
  connect();
  addEventListener("online", () => reconnect(0));
  addEventListener("pagehide", () => disconnect("closed"));
  addEventListener("pageshow", (event) => event.persisted && reconnect(0));
}

// By then every module of the page has put its listeners in.
document.addEventListener("DOMContentLoaded", start);
