// The text that is being written in a room and the ids of its files (core/file_store.js), in
// localStorage under the id of its tab, so that two tabs do not overwrite each other's drafts. A tab
// holds a web lock as long as it is open, so the next tab that opens the room recognizes the draft of a
// closed tab and takes it over.

import { local, read, session, write } from "../core/storage.js";

const EMPTY = { text: "", reply_to: null, files: [] };
const TAB = "tab";
const OWN_LOCK_MS = 1000;

const lockOf = (tab) => `draft-tab:${tab}`;

function newTab() {
  const tab = crypto.getRandomValues(new Uint32Array(2)).join("-");
  write(session, TAB, tab);
  return tab;
}

/** Holds the lock of `tab` until the page ends; resolves to whether the page got the lock. A
 * duplicated tab does not, because it has the same id. A reloaded page waits until its predecessor
 * has released the lock. */
function hold(tab) {
  return new Promise((resolve) => {
    const held = () => {
      resolve(true);
      return new Promise(() => {});
    };
    const signal = AbortSignal.timeout(OWN_LOCK_MS);
    navigator.locks.request(lockOf(tab), { signal }, held).catch(() => resolve(false));
  });
}

export class Draft {
  /** `room` names the person and the room: "draft:7:ROBOTIK". */
  constructor(room) {
    this.room = room;
    this.tab = read(session, TAB) ?? newTab();
    this.value = { ...EMPTY, ...read(local, this.key) };
    /** Resolves to whether the draft of a closed tab was taken over. */
    this.adopted = this.adopt();
  }

  get key() {
    return `${this.room}:${this.tab}`;
  }

  get isEmpty() {
    const { text, reply_to: quoted, files } = this.value;
    return !text && !quoted && !files.length;
  }

  save(change) {
    this.value = { ...this.value, ...change };
    write(local, this.key, this.isEmpty ? null : this.value);
  }

  /** Takes over the draft of a closed tab if this tab has none; resolves to whether it did. */
  async adopt() {
    if (!navigator.locks) return false;
    if (!(await hold(this.tab))) {
      this.tab = newTab();
      this.value = { ...this.value, files: [] }; // they belong to the draft of the other tab
      await hold(this.tab);
    }
    const left = await this.leftBehind();
    if (!left || !this.isEmpty) return false;
    this.save(read(local, left, EMPTY));
    write(local, left, null);
    return !this.isEmpty;
  }

  /** The key of a draft in this room whose tab is closed, if any. */
  async leftBehind() {
    const { held } = await navigator.locks.query();
    const alive = new Set(held.map(({ name }) => name));
    return Object.keys(window.localStorage).find(
      (key) =>
        key !== this.key &&
        (key === this.room || key.startsWith(`${this.room}:`)) &&
        !alive.has(lockOf(key.slice(this.room.length + 1))),
    );
  }
}
