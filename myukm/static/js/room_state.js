// What the room allows this person now: muted until when, archived, no member any more; and what
// is pinned.

import * as api from "./api.js";
import { now } from "./clock.js";
import { when } from "./format.js";
import { on } from "./stream.js";
import { data, fill, say } from "./text.js";

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class RoomState {
  constructor(form, { code, url, me, goTo }) {
    this.form = form;
    this.url = url;
    this.now = data("state");
    this.note = document.getElementById("closed");
    this.pin = document.getElementById("pin");
    this.pin
      .querySelector("[data-go]")
      .addEventListener("click", () => goTo(this.now.pin.message_id));
    on("ukm.changed", (state) => state.ukm === code && this.take(state));
    on("membership", (event) => {
      if (event.ukm === code && event.user_id === me && "muted_until" in event) this.take(event);
    });
    on("chat.edited", (message) => this.edited(message));
    on("chat.deleted", (message) => this.edited(message));
    this.take({});
  }

  /** Why nothing can be written here now, "" when it can. */
  get why() {
    const { member = true, archived, muted_until: until } = this.now;
    if (!member) return say("no_member");
    if (archived) return say("archived");
    return until ? say("muted", { time: when(until) }) : "";
  }

  get isAdmin() {
    return this.now.is_admin;
  }

  take(change) {
    this.now = { ...this.now, ...change };
    const { why } = this;
    this.note.hidden = !why;
    fill(this.note, { text: why });
    for (const element of this.form.elements) element.disabled = Boolean(why);
    this.showPin();
    this.waitForVoice();
  }

  /** A mute ends by itself; the server then says so. */
  waitForVoice() {
    clearTimeout(this.timer);
    const { muted_until: until } = this.now;
    if (!until) return;
    const wait = Math.max(0, Date.parse(until) - now()) + 1000;
    this.timer = setTimeout(() => this.ask(), Math.min(wait, LONGEST_TIMER_MS));
  }

  async ask() {
    try {
      this.take(await api.get(`${this.url}/state`));
    } catch (error) {
      if (error.status === 404) this.take({ member: false });
    }
  }

  showPin() {
    const { pin, is_admin: isAdmin } = this.now;
    this.pin.hidden = !pin;
    if (!pin) return;
    fill(this.pin, { text: pin.text, by: pin.by });
    this.pin.querySelector("[data-go]").disabled = !pin.message_id;
    this.pin.querySelector("[data-unpin]").hidden = !isAdmin;
  }

  edited({ id, message, deleted }) {
    const { pin } = this.now;
    if (pin?.message_id === id) this.take({ pin: deleted ? null : { ...pin, text: message } });
  }
}
