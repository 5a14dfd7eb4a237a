import * as api from "./api.js";
import { startCatchingUp } from "./catch_up.js";
import { startComposer } from "./composer.js";
import { startMessageKeys } from "./message_keys.js";
import { MessageMenu } from "./message_menu.js";
import { messageTools } from "./message_tools.js";
import { isMine } from "./message_view.js";
import { suggest } from "./names.js";
import { Naming } from "./naming.js";
import { startNotices } from "./notices.js";
import { startOlder } from "./older.js";
import { Outbox } from "./outbox.js";
import { Presence } from "./presence.js";
import { startReading } from "./reading.js";
import { RoomState } from "./room_state.js";
import { on } from "./stream.js";
import { data, say } from "./text.js";
import { Timeline } from "./timeline.js";
import { toast } from "./toast.js";
import { Typing } from "./typing.js";

const MOST_NAMES = 8;

const page = document.getElementById("chat");
const { url, code, name, firstUnread, unread } = page.dataset;
const me = Number(page.dataset.me);
const form = document.getElementById("composer");
const messages = data("message-page");
const presence = new Presence(page, data("member-page"));
const timeline = new Timeline(document.getElementById("timeline"));
const typing = new Typing(document.getElementById("typing"), url);
const room = new RoomState(form, { code, url, me, goTo });

timeline.tell(messages);
timeline.empty.hidden = messages.length > 0;

const outbox = new Outbox(
  `outbox:${me}:${code}`,
  url,
  { user_id: me, name, ukm: code },
  {
    changed: (entry) => timeline.hold(entry),
    sent: (message) => timeline.put(message),
  },
);

timeline.place.begin(timeline.byId.get(Number(firstUnread)), Number(unread));
const readSoon = startReading(timeline, url);
const older = startOlder(timeline, url, messages.length);

/** Leads to a message that may lie further up than what is loaded. */
async function goTo(id) {
  const reached = await older.reach(id).catch(() => false);
  const element = reached && timeline.byId.get(id);
  if (element) timeline.place.show(element);
  else toast(say("too_far"), "wait");
}

startCatchingUp({ url, timeline, presence, room, outbox, readSoon });

/** Names that begin so: from what the page knows, or from the server where they are too many. */
async function namesLike(start) {
  if (presence.complete) return suggest(start, MOST_NAMES);
  const query = new URLSearchParams({ q: start });
  const found = await api.get(`${url}/names?${query}`).catch(() => ({ members: [] }));
  return found.members.map((member) => member.name);
}

const naming = new Naming(form.elements.message, document.getElementById("names"), namesLike);

const { reply } = startComposer(form, `draft:${me}:${code}`, {
  send(text, replyTo) {
    typing.rest();
    outbox.add(text, replyTo);
  },
  typing: () => typing.tell(),
  keys: (event) => naming.takes(event),
});

const tools = messageTools({ url, timeline, outbox, goTo, reply });
const menu = new MessageMenu({
  ...tools,
  room: () => ({ isAdmin: room.isAdmin, closed: Boolean(room.why) }),
});
const byTouch = matchMedia("(pointer: coarse)");

function press(event) {
  const element = event.target.closest(".message");
  const button = event.target.closest("button");
  if (!element || event.target.closest("a")) return;
  if (button?.dataset.tool) tools.use(button.dataset.tool, element);
  else if (button?.dataset.emoji) tools.react(button.dataset.emoji, element);
  else if (button?.matches(".quote")) goTo(element.message.reply_to.id);
  else if (button || (byTouch.matches && !String(getSelection()))) menu.open(element);
}

timeline.list.box.addEventListener("click", press);
document.querySelector("[data-unpin]").addEventListener("click", tools.unpin);
startMessageKeys(timeline, (element) => menu.open(element));
startNotices(document.getElementById("notices-form"), { url, code });

/** Listens to what is told of this room. */
function hear(type, listener) {
  on(type, (event) => event.ukm === code && listener(event));
}

hear("chat.message", (message) => {
  if (isMine(message)) outbox.remove(message.client_id);
  typing.forget(message.user_id);
  timeline.tell([message]);
  readSoon();
});
hear("chat.edited", (message) => timeline.change(message));
hear("chat.deleted", (message) => timeline.change(message));
hear("chat.reaction", (event) => {
  const mine = event.user_id === me ? event.on : undefined;
  timeline.react({ ...event, mine });
});
hear("chat.typing", (event) => isMine(event) || typing.see(event));
hear("presence", (event) => presence.see(event));
hear("membership", (event) => "muted_until" in event || presence.change(event));
addEventListener("online", () => outbox.flush());
outbox.flush();
