// Messages that the server has not stored yet. They are kept in localStorage, so that a reload, a
// lost network or a closed browser loses no message. Sending is idempotent by client_id. Messages
// with files have a queue of their own, so that a text does not wait for a long upload.

import * as api from "../core/api.js";
import { backoff } from "../core/backoff.js";
import { now } from "../core/clock.js";
import { isTransient } from "../core/retry.js";
import { local, read, write } from "../core/storage.js";

const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 30_000;
const TOO_FAST = 429;

export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  /** Calls `changed(entry)` at each new state and `sent(message)` when a message is stored. `files`
   * sends and removes the files of an entry (`WaitingFiles`). */
  constructor(key, url, author, { changed, sent, files }) {
    Object.assign(this, { key, url, author, changed, sent, files, failures: 0, timer: 0 });
    this.busy = new Set();
    for (const entry of this.entries()) changed(entry);
  }

  entries() {
    return this.memory ?? read(local, this.key, []);
  }

  save(entries) {
    this.memory = write(local, this.key, entries.length ? entries : null) ? null : entries;
  }

  /** Whether a new page would find all messages. */
  get isStored() {
    return !this.memory?.length;
  }

  has(clientId) {
    return this.entries().some((entry) => entry.client_id === clientId);
  }

  /** Adds a text, the message that it answers or null, and its files `{client_id, name, size, …}`,
   * and sends it. Returns the entry. */
  add(text, replyTo, files = []) {
    const entry = {
      ...this.author,
      client_id: newId(),
      message: text,
      reply_to: replyTo,
      ...(files.length && { files }),
      created_at: new Date(now()).toISOString(),
      state: "pending",
    };
    this.save([...this.entries(), entry]);
    this.changed(entry);
    this.flush();
    return entry;
  }

  /** Removes the entries with these ids. */
  remove(...clientIds) {
    const entries = this.entries();
    const left = entries.filter((entry) => !clientIds.includes(entry.client_id));
    if (left.length === entries.length) return;
    this.save(left);
    for (const entry of entries) if (!left.includes(entry) && entry.files) this.files.remove(entry);
  }

  resend(clientId) {
    this.update(clientId, { state: "pending", refused: false });
    this.flush();
  }

  update(clientId, change) {
    const entries = this.entries().map((entry) =>
      entry.client_id === clientId ? { ...entry, ...change } : entry,
    );
    this.save(entries);
    const entry = entries.find((each) => each.client_id === clientId);
    if (entry) this.changed(entry);
  }

  /** Sends the entries of both queues, oldest first and one at a time. A refused entry waits until a
   * person resends it. */
  async flush() {
    clearTimeout(this.timer);
    await Promise.all([this.drain(false), this.drain(true)]);
  }

  async drain(withFiles) {
    if (this.busy.has(withFiles)) return;
    this.busy.add(withFiles);
    try {
      for (let entry = this.next(withFiles); entry; entry = this.next(withFiles)) {
        if (!(await this.send(entry))) break;
      }
    } finally {
      this.busy.delete(withFiles);
    }
  }

  next(withFiles) {
    return this.entries().find((entry) => !entry.refused && Boolean(entry.files) === withFiles);
  }

  async send(entry) {
    const { client_id, message, reply_to: quoted } = entry;
    const sent = { message, client_id, reply_to: quoted?.id ?? null };
    try {
      if (entry.files) sent.files = await this.files.send(entry);
      if (!this.has(client_id)) return true; // discarded, maybe in another tab
      const stored = await api.post(`${this.url}/messages`, sent);
      this.failures = 0;
      this.remove(client_id);
      this.sent(stored);
      return true;
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      if (!this.has(client_id)) return true;
      return this.failed(entry, error);
    }
  }

  /** Marks a refused message as failed; a person may resend or discard it. After a transient error
   * all unsent messages are retried later and show the error, except "too fast", which ends within
   * seconds. Returns whether the queue may send its next message. */
  failed({ client_id: clientId, files }, error) {
    if (!isTransient(error)) {
      if (files) this.files.restart(files);
      this.update(clientId, { state: "failed", why: error.message, refused: true });
      return true;
    }
    if (error.status !== TOO_FAST) this.updateWaiting(error);
    this.tryLater(error);
    return false;
  }

  /** Shows at each unsent message that it waits for a retry, and the error; without an error text
   * if it waits for the network. */
  updateWaiting({ status, message }) {
    const why = status === 0 ? null : message;
    for (const { client_id, refused } of this.entries()) {
      if (!refused) this.update(client_id, { state: "waiting", why });
    }
  }

  tryLater({ retryAfterMs }) {
    const wait = retryAfterMs ?? backoff(FIRST_WAIT_MS, MAX_WAIT_MS, this.failures);
    this.timer = setTimeout(() => this.flush(), wait);
    this.failures += 1;
  }
}
