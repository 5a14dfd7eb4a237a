// The state of the UKM for this person: whether they may write (not while muted, in an archived UKM
// or without membership), and the pinned message.

import * as api from "../core/api.js";
import { now } from "../core/clock.js";
import { data, fillSlots } from "../core/dom.js";
import { number, when } from "../core/format.js";
import { t } from "../core/i18n.js";
import { Refresh } from "../core/refresh.js";
import { retried } from "../core/retry.js";
import { on } from "../live/events_bus.js";
import { isMine } from "./message_view.js";

const MAX_TIMER_MS = 2 ** 31 - 1;

export class UkmState {
  constructor(form, { code, url, goTo }) {
    this.form = form;
    this.url = url;
    this.state = data("state");
    this.refresh = new Refresh();
    this.reload = retried(() => this.load());
    this.note = document.getElementById("closed");
    this.pin = document.getElementById("pin");
    this.pin
      .querySelector("[data-go]")
      .addEventListener("click", () => goTo(this.state.pin.message_id));
    const listen = (type, handle) =>
      on(type, (event) => {
        this.refresh.record(() => handle(event));
        handle(event);
      });
    listen("ukm.changed", (state) => state.ukm === code && this.apply(state));
    listen("membership", (event) => {
      // Only the copy of the event to this person has `muted_until`.
      if (event.ukm === code && isMine(event) && "muted_until" in event) this.apply(event);
    });
    listen("ukm.readers", (event) => event.ukm === code && this.readBy(event));
    listen("chat.edited", (message) => this.edited(message));
    listen("chat.deleted", (message) => this.edited(message));
    this.apply({});
  }

  /** Why this person cannot write now, "" when they can. */
  get closedReason() {
    const { member = true, archived, muted_until: until } = this.state;
    if (!member) return t("no_member");
    if (archived) return t("archived");
    return until ? t("muted", { time: when(until) }) : "";
  }

  get isAdmin() {
    return this.state.is_admin;
  }

  /** Whether this person may pin messages, also while muted. */
  get mayPin() {
    return this.isAdmin && !this.state.archived;
  }

  apply(change) {
    this.state = { ...this.state, ...change };
    const { closedReason } = this;
    this.note.hidden = !closedReason;
    fillSlots(this.note, { text: closedReason });
    for (const element of this.form.elements) element.disabled = Boolean(closedReason);
    this.showPin();
    this.scheduleUnmute();
  }

  /** Reloads the state when the mute ends. */
  scheduleUnmute() {
    clearTimeout(this.timer);
    const { member = true, muted_until: until } = this.state;
    if (!member || !until) return;
    const wait = Math.max(0, Date.parse(until) - now()) + 1000;
    this.timer = setTimeout(this.reload, Math.min(wait, MAX_TIMER_MS));
  }

  load() {
    return this.refresh.load(
      () => this.request(),
      (state) => this.apply(state),
    );
  }

  async request() {
    try {
      return { member: true, ...(await api.get(`${this.url}/state`)) };
    } catch (error) {
      if (error.status !== 404) throw error;
      return { member: false };
    }
  }

  showPin() {
    const { pin, is_admin: isAdmin } = this.state;
    this.pin.hidden = !pin;
    if (!pin) return;
    const readers = t("readers", { read: number(pin.read), members: number(pin.members) });
    fillSlots(this.pin, { text: pin.text || t("files"), by: pin.by ?? t("campus"), readers });
    this.pin.querySelector("[data-go]").disabled = !pin.message_id;
    this.pin.querySelector("[data-unpin]").hidden = !isAdmin;
  }

  readBy({ read, members }) {
    const { pin } = this.state;
    if (pin) this.apply({ pin: { ...pin, read, members } });
  }

  edited({ id, message, deleted }) {
    const { pin } = this.state;
    if (pin?.message_id === id) this.apply({ pin: deleted ? null : { ...pin, text: message } });
  }
}
