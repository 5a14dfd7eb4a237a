// The list of this person's UKMs: joining, leaving, and what the stream changes in it.

import * as api from "../core/api.js";
import { confirmed } from "../core/dialog.js";
import { fillSlots } from "../core/dom.js";
import { number } from "../core/format.js";
import { t } from "../core/i18n.js";
import { reloadParts } from "../core/partial_reload.js";
import { retried } from "../core/retry.js";
import { timeElement } from "../core/time.js";
import { toast } from "../core/toast.js";
import { on, onGap } from "../live/events_bus.js";

/** The events since the first running reload began: the reloaded part may be older than these
 * events. */
const newerEvents = [];
let reloads = 0;

const entryOf = (code) => document.querySelector(`.ukm[data-code="${CSS.escape(code)}"]`);

export default function startUkmList(root) {
  document.getElementById("join").addEventListener("submit", join);
  root.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-leave]");
    if (button) leave(button.dataset);
  });
  onLive("chat.message", (message) => {
    showLast(message);
    moveUp(entryOf(message.ukm));
  });
  onLive("chat.edited", showChange);
  onLive("chat.deleted", showChange);
  onLive("unread", showUnread);
  onLive("presence", showPresence);
  onLive("ukm.requests", showRequests);
  on("membership", membershipChanged);
  on("ukm.changed", reload);
  onGap(reload);
}

/** Shows each event of that type, and once more after a reload that was under way when it came. */
function onLive(type, show) {
  on(type, (event) => {
    show(event);
    if (reloads) newerEvents.push(() => show(event));
  });
}

const reload = retried(async () => {
  reloads += 1;
  try {
    await reloadParts(["ukm-list"]);
  } finally {
    reloads -= 1;
    for (const showAgain of newerEvents) showAgain();
    if (!reloads) newerEvents.length = 0;
  }
});

async function join(event) {
  event.preventDefault();
  const code = event.target.elements.code.value.trim();
  try {
    const joined = await api.post("/ukm/join", { code });
    location.assign(`/ukm/${joined.code}/chat`);
  } catch (error) {
    refuse(event.target.elements.code, error.message);
  }
}

/** Shows the problem beside its field. */
function refuse(input, message) {
  const note = document.getElementById("code-note");
  input.setAttribute("aria-invalid", "true");
  note.className = "problem";
  note.textContent = message;
  input.focus();
}

async function leave({ leave: code, name }) {
  if (!(await confirmed("confirm-leave", t("confirm_leave", { name })))) return;
  try {
    await api.post(`/ukm/${code}/leave`);
    location.reload();
  } catch (error) {
    toast(error.message, "bad");
  }
}

/** Shows a message as the last one of its UKM. */
function showLast({ id, ukm, name, message, created_at: at, deleted }) {
  const item = entryOf(ukm);
  if (!item) return;
  item.dataset.last = id;
  const author = document.createElement("b");
  author.textContent = `${name}: `;
  item
    .querySelector('[data-slot="last"]')
    .replaceChildren(author, deleted ? t("deleted") : message || t("files"));
  item.querySelector('[data-slot="at"]').replaceChildren(timeElement(at));
}

/** Moves the UKM of the newest message to the top, unless it would lose the focus. */
function moveUp(item) {
  if (item && !item.contains(document.activeElement)) item.parentNode.prepend(item);
}

/** Shows a changed message, if it is the last one of its UKM. */
function showChange(message) {
  if (entryOf(message.ukm)?.dataset.last === String(message.id)) showLast(message);
}

/** Reloads when this person's own membership changed: only those events have `muted_until`. */
function membershipChanged(event) {
  if ("muted_until" in event) reload();
}

function showUnread({ ukm, count }) {
  const mark = entryOf(ukm)?.querySelector("[data-unread]");
  if (!mark) return;
  mark.firstChild.textContent = number(count);
  mark.hidden = count === 0;
}

/** Shows how many ask to join a UKM that this person manages. */
function showRequests({ ukm, open }) {
  const link = entryOf(ukm)?.querySelector("[data-requests]");
  if (!link) return;
  fillSlots(link, { requests: number(open) });
  link.hidden = open === 0;
}

function showPresence({ ukm, online_count: online }) {
  const item = entryOf(ukm);
  if (!item) return;
  fillSlots(item, { online: number(online) });
  item.querySelector(".presence").dataset.status = online ? "online" : "offline";
}
