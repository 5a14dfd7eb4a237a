import * as api from "../core/api.js";
import { bidiIsolate, t } from "../core/i18n.js";

const SEND_EVERY_MS = 3000;
const EXPIRE_AFTER_MS = 5000;

/** Shows who is typing, and reports when this person does. Names expire, because no event says that
 * somebody stopped. */
export class Typing {
  constructor(line, url) {
    this.line = line;
    this.url = url;
    this.names = new Map();
    this.sentAt = -Infinity;
  }

  /** Reports that this person types, at most every three seconds. */
  send() {
    if (performance.now() - this.sentAt < SEND_EVERY_MS) return;
    this.sentAt = performance.now();
    api.post(`${this.url}/typing`).catch(() => {
      this.sentAt = -Infinity;
    });
  }

  /** To be called when a message was sent: the next key is reported at once. */
  messageSent() {
    this.sentAt = -Infinity;
  }

  /** Shows that somebody types. */
  add({ user_id: id, name }) {
    clearTimeout(this.names.get(id)?.timer);
    this.names.set(id, { name, timer: setTimeout(() => this.remove(id), EXPIRE_AFTER_MS) });
    this.show();
  }

  /** Shows that somebody no longer types. */
  remove(id) {
    clearTimeout(this.names.get(id)?.timer);
    this.names.delete(id);
    this.show();
  }

  show() {
    const [first] = this.names.values();
    const text =
      this.names.size > 1
        ? t("typing_many")
        : first
          ? t("typing_one", { name: bidiIsolate(first.name) })
          : "";
    this.line.textContent = text;
  }
}
