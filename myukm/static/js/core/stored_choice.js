import * as api from "./api.js";
import { toast } from "./toast.js";

/** A choice that the server stores at `url` under `name`. `stored` is what it has now; `show` shows
 * a value in the form. */
export class StoredChoice {
  constructor(url, name, stored, show) {
    Object.assign(this, { url, name, stored, show, newest: Promise.resolve() });
  }

  /** Stores a choice after the earlier ones, because the server may handle two requests in either
   * order. Then shows what the server has: if the choice failed, the one before. */
  async choose(value) {
    const call = this.newest.then(() => this.put(value));
    this.newest = call;
    await call;
    if (this.newest === call) this.show(this.stored);
  }

  async put(value) {
    try {
      await api.put(this.url, { [this.name]: value });
      this.stored = value;
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  /** Shows a value that another page has stored. */
  changed(value) {
    this.stored = value;
    this.show(value);
  }
}

/** Lets a checkbox store its state at `url` under `name`. */
export function storeCheckbox(box, url, name) {
  const choice = new StoredChoice(url, name, box.checked, (checked) => {
    box.checked = checked;
  });
  box.addEventListener("change", () => choice.choose(box.checked));
}
