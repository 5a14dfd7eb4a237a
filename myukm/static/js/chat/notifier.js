// Notifies of a new message by a tone and by the browser's notification, in only one of all tabs,
// and not while a visible tab shows the message's room. Tabs agree by web locks, because the
// browser releases the locks of a tab that crashes.

import { accountId } from "../core/account.js";
import { viewerLock } from "../core/activity.js";
import { now } from "../core/clock.js";
import { firstTab } from "../core/first_tab.js";
import { bidiIsolate, t } from "../core/i18n.js";
import { local, read } from "../core/storage.js";
import { on } from "../live/events_bus.js";
import { allowed, show } from "../push/notification.js";

const FRESH_MS = 60_000;
const MIN_BETWEEN_TONES_MS = 2000;

const choices = new Map();
let audio = null;
let beepedAt = -Infinity;

/** Whether "sound" or "notify" is switched on in this browser. */
export const wants = (what) => read(local, `ring:${accountId()}:${what}`, false);

function shouldNotify({ ukm, user_id: author, mentions, reply_to: quoted, created_at: at }) {
  const choice = choices.get(ukm) ?? "none";
  const me = Number(accountId());
  const isForMe = mentions.includes(me) || quoted?.user_id === me;
  const isFresh = now() - Date.parse(at) < FRESH_MS;
  return author !== me && isFresh && (choice === "all" || (choice === "mentions" && isForMe));
}

/** Plays two short notes. They are synthesised, so that no file has to load first. */
export function beep() {
  audio ??= new AudioContext();
  audio.resume();
  for (const [pitch, after] of [
    [660, 0],
    [880, 0.12],
  ]) {
    const note = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + after;
    note.frequency.value = pitch;
    volume.gain.setValueAtTime(0.12, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.25);
    note.connect(volume).connect(audio.destination);
    note.start(at);
    note.stop(at + 0.3);
  }
}

function notify({ id, ukm, name, message }) {
  const title = t("notice_title", { name: bidiIsolate(name), ukm });
  show(title, message || t("files"), `ukm-${ukm}`, { path: `/ukm/${ukm}/chat`, id }).catch(
    (error) => {
      console.info(error.message); // the permission may be gone, or the phone refuses
    },
  );
}

/** Holds the lock `name` while this page is visible. */
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

/** Whether a tab of this account is visible, and whether a visible tab shows the room of the UKM
 * `code`. */
async function visibleTabs(code) {
  if (!navigator.locks) return { isAnyVisible: !document.hidden, isRoomVisible: !document.hidden };
  const { held } = await navigator.locks.query();
  const names = new Set(held.map(({ name }) => name));
  return {
    isAnyVisible: names.has(viewerLock()),
    isRoomVisible: names.has(`${viewerLock()}:${code}`),
  };
}

/** Whether this tab is the first to claim the notification `name`. */
const first = (name) => firstTab(name, FRESH_MS);

/** Whether this tab may play a tone: browsers forbid it before a person has used the tab. */
function maySound() {
  const touched = navigator.userActivation?.hasBeenActive ?? true;
  return wants("sound") && touched && performance.now() - beepedAt > MIN_BETWEEN_TONES_MS;
}

const mayNotify = () => wants("notify") && allowed();

async function ring(message) {
  if (message.deleted || !shouldNotify(message)) return;
  const { isAnyVisible, isRoomVisible } = await visibleTabs(message.ukm);
  if (isRoomVisible) return;
  const note = `note:${accountId()}:${message.id}`;
  if (!isAnyVisible && mayNotify() && (await first(note))) notify(message);
  if (!maySound() || !(await first(`tone:${accountId()}:${message.id}`))) return;
  beepedAt = performance.now();
  beep();
}

/** Notifies of messages in the UKMs for which this person wants it. */
export function startNotifier() {
  if (!accountId()) return;
  on("unread", ({ ukm, notices }) => choices.set(ukm, notices));
  on("chat.message", ring);
  if (!navigator.locks) return;
  holdWhileVisible(viewerLock());
  const room = document.getElementById("chat");
  if (room) holdWhileVisible(`${viewerLock()}:${room.dataset.code}`);
}
