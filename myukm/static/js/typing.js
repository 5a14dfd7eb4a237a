import * as api from "./api.js";
import { isolated, say } from "./text.js";

const TELL_EVERY_MS = 3000;
const FORGET_AFTER_MS = 5000;

/** Who is writing now; an entry ages by itself, for nobody says that they stopped. */
export class Typing {
  constructor(line, url) {
    this.line = line;
    this.url = url;
    this.names = new Map();
    this.toldAt = -Infinity;
  }

  /** Tells the others that this person types, now and then. */
  tell() {
    if (performance.now() - this.toldAt < TELL_EVERY_MS) return;
    this.toldAt = performance.now();
    api.post(`${this.url}/typing`).catch(() => {
      this.toldAt = -Infinity;
    });
  }

  /** The next key is worth telling again. */
  rest() {
    this.toldAt = -Infinity;
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
        ? say("typing_many")
        : first
          ? say("typing_one", { name: isolated(first.name) })
          : "";
    this.line.textContent = text;
  }
}
