// The page that the service worker shows where there is no network: at the address of a room, its saved
// messages and those that wait to be sent. The page is the same for everybody, so it reads the account
// from the browser's storage.

import { startComposer } from "../chat/composer.js";
import { showProgress } from "../chat/message_files.js";
import { group, show } from "../chat/message_view.js";
import { Outbox } from "../chat/outbox.js";
import { restorePictures } from "../chat/room_outbox.js";
import { lastAccount, roomOf, savedMessages } from "../chat/saved_messages.js";
import { WaitingFiles } from "../chat/waiting_files.js";
import { startCharacterCounts } from "../core/character_count.js";
import { fillSlots } from "../core/dom.js";
import { when } from "../core/format.js";
import { t } from "../core/i18n.js";
import { startThemes } from "../core/theme.js";

const RETRY_MS = 8000;
const ROOM_PATH = /^\/ukm\/([A-Z0-9-]+)\/chat$/;

startThemes();
start();

function start() {
  const account = lastAccount();
  const code = ROOM_PATH.exec(location.pathname)?.[1];
  const room = account && code ? roomOf(account, code) : null;
  for (const button of document.querySelectorAll("[data-retry]")) {
    button.addEventListener("click", () => location.reload());
  }
  addEventListener("online", () => location.reload());
  setInterval(reloadWhenReachable, RETRY_MS);
  document.getElementById(room ? "room" : "nowhere").hidden = false;
  if (!room) return;
  document.documentElement.dataset.account = account; // from where core/account.js reads it
  showRoom(Number(account), code, room);
}

async function reloadWhenReachable() {
  const signal = AbortSignal.timeout?.(RETRY_MS); // a server that hangs sends no response
  const answer = await fetch("/healthz", { cache: "no-store", signal }).catch(() => null);
  if (answer?.ok) location.reload();
}

/** Makes the list of messages; `put(message, element)` renders one into `element`, or into a new
 * element at the end, and returns it. `remove(element)` gives the focus in it to its neighbour. */
function messageList() {
  const list = Object.assign(document.createElement("ol"), { className: "message-chunk" });
  document.getElementById("messages").append(list);
  const empty = document.getElementById("messages-empty");
  empty.hidden = false;
  const put = (message, element) => {
    const shown = show(message, element);
    if (!element) list.append(shown);
    group(shown, null);
    empty.hidden = true;
    return shown;
  };
  const remove = (element) => {
    const { nextElementSibling: next, previousElementSibling: before } = element;
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    if (next) group(next, null);
    if (hadFocus) (next ?? before ?? list.closest("[role=log]")).focus();
    empty.hidden = list.childElementCount > 0;
  };
  return { list, put, remove };
}

/** Opens the outbox of the room, whose messages are shown in the list and can be discarded there. */
function openOutbox(me, code, authorName, { list, put, remove }) {
  const pending = new Map();
  const url = `/ukm/${code}`;
  const outbox = new Outbox(
    `outbox:${me}:${code}`,
    url,
    { user_id: me, name: authorName, ukm: code },
    {
      changed: (entry) => pending.set(entry.client_id, put(entry, pending.get(entry.client_id))),
      sent: () => location.reload(),
      files: new WaitingFiles(url, me, (id, share) => showProgress(pending.get(id), share)),
    },
  );
  list.addEventListener("click", ({ target }) => {
    const element = target.closest('[data-tool="discard"]')?.closest(".message");
    if (!element) return;
    outbox.remove(element.message.client_id);
    remove(element);
  });
  return outbox;
}

function showRoom(me, code, { name, author }) {
  document.title = `${name} · MyUKM`;
  const messages = messageList();
  const saved = savedMessages(me, code);
  fillSlots(document.getElementById("room"), {
    name,
    ...(saved && { age: t("saved_age", { time: when(new Date(saved.at).toISOString()) }) }),
  });
  for (const message of saved?.messages ?? []) messages.put(message);
  const outbox = openOutbox(me, code, author, messages);
  startCharacterCounts();
  startComposer(document.getElementById("composer"), `draft:${me}:${code}`, {
    send: (text, replyTo) => outbox.add(text, replyTo),
    typing: () => {},
    keys: () => false,
    editLast: () => {},
    hasFiles: () => false,
  });
  outbox.flush();
  const toEnd = () => messages.list.lastElementChild?.scrollIntoView();
  toEnd();
  restorePictures(outbox).then(toEnd); // a picture has no height before
}
