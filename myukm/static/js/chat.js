import * as api from "./api.js";
import { startComposer } from "./composer.js";
import { watchConnection } from "./connection.js";
import { confirmed } from "./dialog.js";
import { isMine, showTools } from "./message_view.js";
import { startOlder } from "./older.js";
import { Outbox } from "./outbox.js";
import { Presence } from "./presence.js";
import { startReading } from "./reading.js";
import { on } from "./stream.js";
import { data } from "./text.js";
import { Timeline } from "./timeline.js";
import { toast } from "./toast.js";
import { Typing } from "./typing.js";

const CATCH_UP = 100;

const page = document.getElementById("chat");
const { url, code, me, name } = page.dataset;
const messages = data("message-page");
const timeline = new Timeline(document.getElementById("timeline"));
const typing = new Typing(document.getElementById("typing"), url);
const presence = new Presence(page, data("member-page"));

timeline.tell(messages);
timeline.empty.hidden = messages.length > 0;

const outbox = new Outbox(
  `outbox:${me}:${code}`,
  url,
  { user_id: Number(me), name, ukm: code },
  {
    changed: (entry) => timeline.hold(entry),
    sent: (message) => timeline.put(message),
  },
);

const readSoon = startReading(timeline, url);
timeline.toEnd();
startOlder(timeline, url, messages.length);

/** Asks for what came while the page heard nothing. */
async function catchUp() {
  let page;
  do {
    page = await api.get(`${url}/messages?after=${timeline.lastTold}&limit=${CATCH_UP}`);
    timeline.tell(page.messages);
  } while (page.messages.length === CATCH_UP);
  readSoon();
}

/** Who came and went meanwhile; the stream itself tells only who is here. */
async function callRoll() {
  const { members, online_count: online, total_members: total } = await api.get(`${url}/online`);
  presence.load(members, online, total);
}

/** After a gap that cannot be replayed: edits and deletions of the newest page, too. */
async function reload() {
  await catchUp();
  const { messages: newest } = await api.get(`${url}/messages?limit=${CATCH_UP}`);
  newest.forEach((message) => timeline.change(message));
  await callRoll();
}

/** A try that fails now is made again when the stream next opens. */
function quietly(task) {
  return () => task().catch((error) => console.info(error.message));
}

const TOOLS = {
  async edit({ message }) {
    const field = document.getElementById("edit-text");
    field.value = message.message;
    if (!(await confirmed("edit")) || field.value.trim() === message.message) return;
    timeline.change(
      await api.patch(`${url}/messages/${message.id}`, { message: field.value.trim() }),
    );
  },
  async delete({ message }) {
    if (!(await confirmed("confirm-delete"))) return;
    await api.remove(`${url}/messages/${message.id}`);
    timeline.change({ ...message, message: "", deleted: true });
  },
  resend: ({ message }) => outbox.resend(message.client_id),
  discard({ message }) {
    outbox.remove(message.client_id);
    timeline.drop(message.client_id);
  },
};

async function use(tool, element) {
  try {
    await TOOLS[tool](element);
  } catch (error) {
    toast(error.message, "bad");
  }
}

/** A tap on a message shows what can be done with it, as pointing at it does with a mouse. */
timeline.list.addEventListener("click", (event) => {
  const element = event.target.closest(".message");
  const tool = event.target.closest("[data-tool]")?.dataset.tool;
  if (tool) use(tool, element);
  else if (element) {
    showTools(element);
    element.classList.toggle("open");
  }
});

startComposer(document.getElementById("composer"), `draft:${me}:${code}`, {
  send(text) {
    typing.rest();
    outbox.add(text);
  },
  typing: () => typing.tell(),
});

const here = (listener) => (event) => event.ukm === code && listener(event);

on(
  "chat.message",
  here((message) => {
    if (isMine(message)) outbox.remove(message.client_id);
    typing.forget(message.user_id);
    timeline.tell([message]);
    readSoon();
  }),
);
on(
  "chat.edited",
  here((message) => timeline.change(message)),
);
on(
  "chat.deleted",
  here((message) => timeline.change(message)),
);
on(
  "chat.typing",
  here((event) => isMine(event) || typing.see(event)),
);
on(
  "presence",
  here((event) => presence.see(event)),
);
on("reset", quietly(reload));
watchConnection(document.getElementById("offline"), () => {
  outbox.flush();
  quietly(catchUp)();
  quietly(callRoll)();
});
addEventListener("online", () => outbox.flush());
outbox.flush();
