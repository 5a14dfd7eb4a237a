import * as api from "../core/api.js";
import { bidiIsolate, t } from "../core/i18n.js";

const SEND_EVERY_MS = 3000;
const FORGET_AFTER_MS = 5000;

/** Who is writing now; an entry ages by itself, for nobody says that they stopped. */
export class Typing {
  constructor(line, url) {
    this.line = line;
    this.url = url;
    this.names = new Map();
    this.sentAt = -Infinity;
  }

  /** Tells the others that this person types, now and then. */
  send() {
    if (performance.now() - this.sentAt < SEND_EVERY_MS) return;
    this.sentAt = performance.now();
    api.post(`${this.url}/typing`).catch(() => {
      this.sentAt = -Infinity;
    });
  }

  /** The next key is worth telling again. */
  rest() {
    this.sentAt = -Infinity;
  }

  see({ user_id: id, name }) {
    clearTimeout(this.names.get(id)?.timer);
    this.names.set(id, { name, timer: setTimeout(() => this.forget(id), FORGET_AFTER_MS) });
    this.show();
  }

  forget(id) {
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
