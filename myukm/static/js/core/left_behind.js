// Removes what an account left in a browser that others use, too. Its drafts, outbox, saved messages
// and the mark of its push subscription are in localStorage under its id, the files of drafts and
// outbox in IndexedDB:
// - A log-out here removes all of them.
// - When a session ends otherwise (elsewhere, or by its age) drafts and saved messages are removed;
//   the outbox stays, because its author may log in again and expects it to be sent.
// - A log-in removes what other accounts left.

import { clearDevice } from "../push/clear_device.js";
import { accountId } from "./account.js";
import { removeFiles } from "./file_store.js";
import { local, read, session, write } from "./storage.js";

const KEY = /^(draft|outbox|push|room|saved|saving):(\d+)(?::|$)/;
/** Kinds that are kept until their owner's next log-in, unless the owner logs out here. */
const KEPT = ["outbox", "push"];
const LEAVING = "leaving";

/** Key, kind and account of each stored text; an empty list where the browser forbids the store. */
function texts() {
  try {
    return Object.keys(local()).flatMap((key) => {
      const [, kind, owner] = KEY.exec(key) ?? [];
      return kind ? [{ key, kind, owner }] : [];
    });
  } catch {
    return [];
  }
}

function removeTexts(isGone) {
  for (const text of texts()) if (isGone(text)) write(local, text.key, null);
}

/** On a page of an account: removes what other accounts left, and watches the forms with
 * data-leaves (log-out, deletion of the account). If data-leaves names a dialog, the dialog opens
 * before unsent messages are lost. */
export function startLeaving() {
  const account = accountId();
  if (!account) return;
  write(session, LEAVING, null);
  removeTexts(({ owner }) => owner !== account);
  removeFiles((owner) => owner !== account);
  document.addEventListener("submit", chooseDialog, true);
  // On the window, which comes after the listeners of the document that may hold the form back.
  addEventListener("submit", markLeaving);
}

/** Sets data-confirm, so that dialog.js opens the dialog, only while messages are unsent. */
function chooseDialog({ target: { dataset } }) {
  if (!dataset.leaves) return;
  if (texts().some(({ kind }) => kind === "outbox")) dataset.confirm = dataset.leaves;
  else delete dataset.confirm;
}

function markLeaving({ target: { dataset }, defaultPrevented }) {
  if (dataset.leaves !== undefined && !defaultPrevented) write(session, LEAVING, true);
}

/** Whether a form with data-leaves was sent: the browser is about to show the response. */
export const isLeaving = () => read(session, LEAVING, false);

/** On the log-in page (body[data-nobody]): removes everything that accounts left if a log-out led
 * here, otherwise all kinds but `KEPT`. Error pages use the same template without data-nobody,
 * because somebody may still be logged in. */
export function startCleanup() {
  if (document.body.dataset.nobody === undefined) return;
  const isLogOut = read(session, LEAVING, false);
  write(session, LEAVING, null);
  removeTexts(({ kind }) => isLogOut || !KEPT.includes(kind));
  write(local, "account", null);
  const kept = texts().map(({ key }) => window.localStorage.getItem(key));
  removeFiles((_owner, id) => !kept.some((text) => text.includes(id)));
  clearDevice(isLogOut).catch((error) => console.info(error.message));
}
