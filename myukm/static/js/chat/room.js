import * as api from "../core/api.js";
import { data } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { on } from "../live/events_bus.js";
import { startComposer } from "./composer.js";
import { startHistoryLoader } from "./history_loader.js";
import { MentionAutocomplete } from "./mention_autocomplete.js";
import { messageActions } from "./message_actions.js";
import { startMessageKeys } from "./message_keyboard.js";
import { MessageMenu } from "./message_menu.js";
import { isMine } from "./message_view.js";
import { suggest } from "./name_cache.js";
import { startNotificationSettings } from "./notification_settings.js";
import { Outbox } from "./outbox.js";
import { Presence } from "./presence.js";
import { startReading } from "./read_marker.js";
import { startResync } from "./resync.js";
import { RoomState } from "./room_state.js";
import { Timeline } from "./timeline.js";
import { Typing } from "./typing.js";

const MAX_NAMES = 8;

const page = document.getElementById("chat");
const { url, code, name, firstUnread, unread } = page.dataset;
const me = Number(page.dataset.me);
const form = document.getElementById("composer");
const messages = data("message-page");
const presence = new Presence(page, data("member-page"));
const timeline = new Timeline(document.getElementById("timeline"));
const typing = new Typing(document.getElementById("typing"), url);
const room = new RoomState(form, { code, url, me, goTo });

timeline.addFromServer(messages);
timeline.empty.hidden = messages.length > 0;

const outbox = new Outbox(
  `outbox:${me}:${code}`,
  url,
  { user_id: me, name, ukm: code },
  {
    changed: (entry) => timeline.showPending(entry),
    sent: (message) => timeline.upsert(message),
  },
);

timeline.anchor.restore(timeline.byId.get(Number(firstUnread)), Number(unread));
const readSoon = startReading(timeline, url);
const history = startHistoryLoader(timeline, url, messages.length);

/** Leads to a message that may lie further up than what is loaded. */
async function goTo(id) {
  const reached = await history.loadUntil(id).catch(() => false);
  const element = reached && timeline.byId.get(id);
  if (element) timeline.anchor.show(element);
  else toast(t("too_far"), "wait");
}

startResync({ url, timeline, presence, room, outbox, readSoon });

/** Names that begin so: from what the page knows, or from the server where they are too many. */
async function namesLike(start) {
  if (presence.complete) return suggest(start, MAX_NAMES);
  const query = new URLSearchParams({ q: start });
  const found = await api.get(`${url}/names?${query}`).catch(() => ({ members: [] }));
  return found.members.map((member) => member.name);
}

const mentions = new MentionAutocomplete(form.elements.message, document.getElementById("names"), namesLike);

const { reply } = startComposer(form, `draft:${me}:${code}`, {
  send(text, replyTo) {
    typing.rest();
    outbox.add(text, replyTo);
  },
  typing: () => typing.send(),
  keys: (event) => mentions.takes(event),
});

const actions = messageActions({ url, timeline, outbox, goTo, reply });
const menu = new MessageMenu({
  ...actions,
  room: () => ({ isAdmin: room.isAdmin, closed: Boolean(room.closedReason) }),
});
const byTouch = matchMedia("(pointer: coarse)");

function press(event) {
  const element = event.target.closest(".message");
  const button = event.target.closest("button");
  if (!element || event.target.closest("a")) return;
  if (button?.dataset.tool) actions.use(button.dataset.tool, element);
  else if (button?.dataset.emoji) actions.react(button.dataset.emoji, element);
  else if (button?.matches(".quote")) goTo(element.message.reply_to.id);
  else if (button || (byTouch.matches && !String(getSelection()))) menu.open(element);
}

timeline.list.box.addEventListener("click", press);
document.querySelector("[data-unpin]").addEventListener("click", actions.unpin);
startMessageKeys(timeline, (element) => menu.open(element));
startNotificationSettings(document.getElementById("notices-form"), { url, code });

/** Listens to what is told of this room. */
function listen(type, listener) {
  on(type, (event) => event.ukm === code && listener(event));
}

listen("chat.message", (message) => {
  if (isMine(message)) outbox.remove(message.client_id);
  typing.forget(message.user_id);
  timeline.addFromServer([message]);
  readSoon();
});
listen("chat.edited", (message) => timeline.change(message));
listen("chat.deleted", (message) => timeline.change(message));
listen("chat.reaction", (event) => {
  const mine = event.user_id === me ? event.on : undefined;
  timeline.react({ ...event, mine });
});
listen("chat.typing", (event) => isMine(event) || typing.see(event));
listen("presence", (event) => presence.see(event));
listen("membership", (event) => "muted_until" in event || presence.change(event));
addEventListener("online", () => outbox.flush());
outbox.flush();
