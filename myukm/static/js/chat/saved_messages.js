// Stores rooms and messages for times without network: the rooms that a person opened in this
// browser, and, only if that person asked for it, the newest messages of each room.
// core/left_behind.js removes both at a log-out, and when another account logs in.

import { accountId } from "../core/account.js";
import * as api from "../core/api.js";
import { now } from "../core/clock.js";
import { local, read, write } from "../core/storage.js";

const MAX_MESSAGES = 50;
const REFRESH_MS = 10 * 60_000;

const roomKey = (account, code) => `room:${account}:${code}`;
const savedKey = (account, code) => `saved:${account}:${code}`;
const choiceKey = () => `saving:${accountId()}`;

/** The account that last opened a page here, null after its log-out. */
export const lastAccount = () => read(local, "account");

/** The {name, author} of a room that this account opened here, null if it never did. */
export const roomOf = (account, code) => read(local, roomKey(account, code));

/** The saved {at, messages} of a room, null when none are saved; `at` in milliseconds. */
export const savedMessages = (account, code) => read(local, savedKey(account, code));

/** Whether this person asked for messages to be saved here. */
export const isSaving = () => read(local, choiceKey()) !== null;

/** Stores the account of this browser, and refreshes the saved messages if they are old. */
export function startSaving() {
  if (!accountId()) return;
  write(local, "account", accountId());
  const choice = read(local, choiceKey());
  if (choice && now() - choice.at > REFRESH_MS) saveAll(choice.rooms).catch(console.info);
}

/** Saves the newest messages of these rooms ({code, name, author}), from now on regularly; returns
 * whether all fitted. */
export async function saveAll(rooms) {
  write(local, choiceKey(), { at: now(), rooms });
  let fits = true;
  for (const room of rooms) fits = (await saveOne(room)) && fits;
  return fits;
}

async function saveOne({ code, name, author }) {
  try {
    const { messages } = await api.get(`/ukm/${code}/messages?limit=${MAX_MESSAGES}`);
    if (!isSaving()) return false; // switched off meanwhile
    return write(local, roomKey(accountId(), code), { name, author }) && save(code, messages);
  } catch (error) {
    if (error.status !== 404 && error.status !== 403) throw error;
    removeRoom(code);
    return true;
  }
}

/** Stops saving, and removes the saved messages. */
export function stopSaving() {
  const { rooms = [] } = read(local, choiceKey()) ?? {};
  write(local, choiceKey(), null);
  for (const { code } of rooms) write(local, savedKey(accountId(), code), null);
}

function save(code, messages) {
  const plain = messages.slice(-MAX_MESSAGES).map((message) => ({ ...message, photo: null }));
  return write(local, savedKey(accountId(), code), { at: now(), messages: plain });
}

/** Removes all stored data of a room that this person left. */
function removeRoom(code) {
  write(local, roomKey(accountId(), code), null);
  write(local, savedKey(accountId(), code), null);
  const choice = read(local, choiceKey());
  if (!choice) return;
  const rooms = choice.rooms.filter((each) => each.code !== code);
  write(local, choiceKey(), { ...choice, rooms });
}

/** Stores the room {code, name, author} for times without network; `newest()` returns its current
 * messages. */
export function startSavingRoom(room, newest) {
  const { code, name, author } = room;
  write(local, roomKey(accountId(), code), { name, author });
  const refresh = () => {
    const choice = read(local, choiceKey());
    if (!choice) return;
    save(code, newest());
    if (choice.rooms.some((each) => each.code === code)) return;
    write(local, choiceKey(), { ...choice, rooms: [...choice.rooms, room] });
  };
  refresh();
  document.addEventListener("visibilitychange", () => document.hidden && refresh());
}
