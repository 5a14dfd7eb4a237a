// One message on the page. Its data hangs on the element, so that neighbours can be compared.

import { clock, day, dayOf, moment } from "./format.js";
import { copy, fill, say } from "./text.js";

const TOGETHER_MS = 5 * 60_000;
const EDITABLE_MS = 15 * 60_000;

const room = document.getElementById("chat").dataset;
const me = Number(room.me);
const mayModerate = "admin" in room;

export const isMine = (message) => message.user_id === me;

function initials(name) {
  return name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("");
}

/** Makes the element of `message`, or writes it anew into `element`. */
export function show(message, element = copy("message")) {
  element.message = message;
  element.classList.toggle("mine", isMine(message));
  element.classList.toggle("deleted", Boolean(message.deleted));
  fill(element, {
    initials: initials(message.name),
    name: message.name,
    message: message.deleted ? say("deleted") : message.message,
    time: clock(message.created_at),
  });
  const time = element.querySelector("time");
  time.dateTime = message.created_at;
  time.title = moment(message.created_at);
  element.querySelector('[data-slot="edited"]').hidden =
    !message.edited_at || Boolean(message.deleted);
  showState(element, message);
  showTools(element);
  return element;
}

function showState(element, { state, why }) {
  const note = element.querySelector('[data-slot="state"]');
  element.dataset.state = state ?? "sent";
  note.hidden = !state;
  if (state) note.textContent = state === "failed" ? say("not_sent", { why }) : say("sending");
}

/** Offers what this person may do with the message now. */
export function showTools(element) {
  const { message } = element;
  const sent = !message.state && !message.deleted;
  const young = Date.now() - Date.parse(message.created_at) < EDITABLE_MS;
  const offered = {
    edit: sent && isMine(message) && young,
    delete: sent && (isMine(message) || mayModerate),
    resend: message.state === "failed",
    discard: message.state === "failed",
  };
  for (const [tool, is] of Object.entries(offered)) {
    element.querySelector(`[data-tool="${tool}"]`).hidden = !is;
  }
}

/** Shows a day's name above its first message, and an author's name above the first in a row. */
export function group(element) {
  const { message } = element;
  const before = element.previousElementSibling?.message;
  const newDay = !before || dayOf(before.created_at) !== dayOf(message.created_at);
  const gap = before ? Date.parse(message.created_at) - Date.parse(before.created_at) : Infinity;
  const label = element.querySelector('[data-slot="day"]');
  label.hidden = !newDay;
  label.textContent = newDay ? day(message.created_at) : "";
  element.classList.toggle(
    "follows",
    !newDay && before.user_id === message.user_id && gap < TOGETHER_MS,
  );
}
