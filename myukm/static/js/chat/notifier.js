// What a new message does besides standing there: a tone, a notification of the browser. One tab
// does it for all, and none while somebody looks at that room.

import { now } from "../core/clock.js";
import { bidiIsolate, t } from "../core/i18n.js";
import { local, read } from "../core/storage.js";
import { on } from "../live/events_bus.js";
import { allowed, show } from "./notification.js";

const FRESH_MS = 60_000;
const REST_MS = 2000;

const me = Number(document.documentElement.dataset.account);
const choices = new Map();
const looking = `looking:${me}`;
let tone = null;
let rang = -Infinity;

export const wants = (what) => read(local, `ring:${me}:${what}`, false);

function meant({ ukm, user_id: author, mentions, reply_to: quoted, created_at: at }) {
  const choice = choices.get(ukm) ?? "none";
  const named = mentions.includes(me) || quoted?.user_id === me;
  const fresh = now() - Date.parse(at) < FRESH_MS;
  return author !== me && fresh && (choice === "all" || (choice === "mentions" && named));
}

/** Two short notes, made here: no file has to come first. */
export function beep() {
  tone ??= new AudioContext();
  tone.resume();
  for (const [pitch, after] of [
    [660, 0],
    [880, 0.12],
  ]) {
    const note = tone.createOscillator();
    const volume = tone.createGain();
    const at = tone.currentTime + after;
    note.frequency.value = pitch;
    volume.gain.setValueAtTime(0.12, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.25);
    note.connect(volume).connect(tone.destination);
    note.start(at);
    note.stop(at + 0.3);
  }
}

function notify({ ukm, name, message }) {
  const title = t("notice_title", { name: bidiIsolate(name), ukm });
  show(title, message, `ukm-${ukm}`, `/ukm/${ukm}/chat`).catch((error) => {
    console.info(error.message); // the permission was taken back, or the phone has its reasons
  });
}

/** While a page is looked at it holds a lock that says so; a crash gives it back. */
function holdWhileVisible(name) {
  let release = () => {};
  const change = () => {
    release();
    if (document.hidden) return;
    const gone = new AbortController();
    release = () => gone.abort();
    const held = new Promise((resolve) => gone.signal.addEventListener("abort", resolve));
    navigator.locks.request(name, { mode: "shared" }, () => held);
  };
  document.addEventListener("visibilitychange", change);
  change();
}

/** Whether any tab of this account is looked at, and whether one shows that room. */
async function audience(code) {
  if (!navigator.locks) return { some: !document.hidden, here: !document.hidden };
  const { held } = await navigator.locks.query();
  const names = new Set(held.map(({ name }) => name));
  return { some: names.has(looking), here: names.has(`${looking}:${code}`) };
}

/** Whether this tab is the first to ask for `name`: the lock is kept until the thing is stale. */
function first(name) {
  if (!navigator.locks) return true;
  return new Promise((answer) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      answer(Boolean(lock));
      return lock && new Promise((stale) => setTimeout(stale, FRESH_MS));
    });
  });
}

/** A tab that nobody has touched yet may make no sound. */
function maySound() {
  const touched = navigator.userActivation?.hasBeenActive ?? true;
  return wants("sound") && touched && performance.now() - rang > REST_MS;
}

const mayNotify = () => wants("notify") && allowed();

async function ring(message) {
  if (!meant(message)) return;
  const { some, here } = await audience(message.ukm);
  if (here) return;
  if (!some && mayNotify() && (await first(`note:${me}:${message.id}`))) notify(message);
  if (!maySound() || !(await first(`tone:${me}:${message.id}`))) return;
  rang = performance.now();
  beep();
}

export function startNotifier() {
  if (!me) return;
  on("unread", ({ ukm, notices }) => choices.set(ukm, notices));
  on("chat.message", ring);
  if (!navigator.locks) return;
  holdWhileVisible(looking);
  const room = document.getElementById("chat");
  if (room) holdWhileVisible(`${looking}:${room.dataset.code}`);
}
