// One message on the page. The element carries its data, so that neighbours can be compared.

import { accountId } from "../core/account.js";
import { cloneTemplate, fillSlots, setText } from "../core/dom.js";
import { clock, day, dayOf, moment } from "../core/format.js";
import { t } from "../core/i18n.js";
import { before as previous } from "./chunked_list.js";
import { adoptFiles, showFiles } from "./message_files.js";
import { namesOf, remember } from "./name_cache.js";
import { showReactions } from "./reactions.js";
import { renderText } from "./rich_text.js";

/** A text without any of these contains no code, mention or link. */
const RICH = /[`@]|https?:|www\./i;
const TOGETHER_MS = 5 * 60_000;

const me = () => Number(accountId());

/** Whether this person wrote the message. */
export const isMine = (message) => message.user_id === me();

/** Whether the message mentions this person or answers them. */
export const isForMe = ({ mentions = [], reply_to: quoted }) =>
  mentions.includes(me()) || quoted?.user_id === me();

/** The first letters of the first two words of a name. */
export function initials(name) {
  return name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("");
}

/** Renders `message` into `element`, or into a new one, and returns it. */
export function show(message, element = cloneTemplate("message")) {
  element.message = message;
  remember(message);
  element.classList.toggle("mine", isMine(message));
  element.classList.toggle("deleted", Boolean(message.deleted));
  element.classList.toggle("is-mention", isForMe(message) && !isMine(message) && !message.deleted);
  fillSlots(element, { name: message.name });
  showAvatar(element.querySelector(".avatar"), message);
  showFiles(element, message);
  showText(element, message);
  showTime(element, message);
  showQuote(element, message);
  showReactions(element, message);
  showState(element, message);
  return element;
}

/** Attaches `message` to the element that the server has rendered for it. */
export function adopt(message, element) {
  element.message = message;
  remember(message);
  element.querySelector("time").title = moment(message.created_at);
  adoptFiles(element, message);
  if (RICH.test(message.message)) showText(element, message);
}

function showAvatar(avatar, { name, photo }) {
  if (!photo) {
    setText(avatar, initials(name));
    return;
  }
  if (avatar.querySelector("img")?.getAttribute("src") === photo) return;
  const image = new Image(36, 36);
  Object.assign(image, { src: photo, alt: "", loading: "lazy" });
  avatar.replaceChildren(image);
}

function showText(element, { deleted, message, mentions = [] }) {
  const text = element.querySelector('[data-slot="message"]');
  if (deleted) setText(text, t("deleted"));
  else renderText(text, message, namesOf(mentions));
  text.hidden = !text.textContent;
}

function showTime(element, { created_at: at, edited_at: edited, deleted }) {
  const time = element.querySelector("time");
  setText(time, clock(at));
  time.dateTime = at;
  time.title = moment(at);
  element.querySelector('[data-slot="edited"]').hidden = !edited || Boolean(deleted);
}

/** Shows the message that this one answers. */
export function showQuote(element, { reply_to: quoted, deleted }) {
  const shown = element.querySelector(".quote");
  if (!quoted || deleted) {
    shown?.remove();
    return;
  }
  const quote = fillSlots(cloneTemplate("quote"), {
    name: quoted.name,
    text: quoted.deleted ? t("deleted") : quoted.message || t("files"),
  });
  quote.classList.toggle("deleted", quoted.deleted);
  if (shown?.isEqualNode(quote)) return; // the shown one may have the focus or be pressed
  shown?.remove();
  element.querySelector(".bubble").prepend(quote);
}

function stateText(state, why) {
  if (state === "failed") return t("not_sent", { why });
  if (state === "pending") return t("sending");
  return why ? t("trying_again", { why }) : t("waiting_network");
}

function showState(element, { state, why }) {
  const note = element.querySelector('[data-slot="state"]');
  element.dataset.state = state ?? "sent";
  note.hidden = !state;
  if (state) setText(note, stateText(state, why));
  const isSending = state === "pending" || state === "waiting";
  const sending = element.querySelector(".message-sending");
  if (!isSending) sending?.remove();
  else if (!sending && element.message.files?.length) {
    element.querySelector(".message-body").append(cloneTemplate("sending"));
  }
  element.querySelector(".message-failed")?.remove();
  if (state === "failed") element.querySelector(".message-body").append(cloneTemplate("failed"));
  element.querySelector(".message-more").hidden = Boolean(state || element.message.deleted);
}

/** Shows the day above its first message, "new" above the message `firstUnread`, and the author's
 * name only on the first of several messages in a row. */
export function group(element, firstUnread) {
  const { message } = element;
  const before = previous(element)?.message;
  const newDay = !before || dayOf(before.created_at) !== dayOf(message.created_at);
  const gap = before ? Date.parse(message.created_at) - Date.parse(before.created_at) : Infinity;
  const isNew = message.id === firstUnread;
  const label = element.querySelector('[data-slot="day"]');
  label.hidden = !newDay;
  setText(label, newDay ? day(message.created_at) : "");
  element.querySelector(".message-new").hidden = !isNew;
  element.classList.toggle(
    "is-continuation",
    !newDay && !isNew && before.user_id === message.user_id && gap < TOGETHER_MS,
  );
}
