// Removes what an account left in a browser that others use, too. Its drafts, outbox, saved messages and
// the mark of its push subscription are in localStorage under its id, the outbox's files in IndexedDB:
// - Log-out here removes all of them.
// - When a session ends otherwise (elsewhere, or by its age) drafts and saved messages go; the outbox
//   stays, because its author may log in again and expects it to be sent.
// - A log-in removes what other accounts left.

import { forgetDevice } from "../push/forget.js";
import { accountId } from "./account.js";
import { forgetFiles } from "./file_store.js";
import { local, read, session, write } from "./storage.js";

const KEY = /^(draft|outbox|push|room|saved|saving):(\d+)(?::|$)/;
/** Kinds that stay for their owner's next log-in, unless they log out here. */
const STAYING = ["outbox", "push"];
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

function forget(isGone) {
  for (const text of texts()) if (isGone(text)) write(local, text.key, null);
}

/** On a page of an account: removes the texts of other accounts, and watches for a form with
 * data-leaves (log-out, deletion). If that names a dialog, it asks before unsent messages are lost. */
export function startLeaving() {
  const account = accountId();
  if (!account) return;
  write(session, LEAVING, null);
  forget(({ owner }) => owner !== account);
  forgetFiles((owner) => owner !== account);
  document.addEventListener("submit", askFirst, true);
  // On the window, which comes after the listeners of the document that may hold the form back.
  addEventListener("submit", leave);
}

function askFirst({ target: { dataset } }) {
  if (!dataset.leaves) return;
  if (texts().some(({ kind }) => kind === "outbox")) dataset.confirm = dataset.leaves;
  else delete dataset.confirm;
}

function leave({ target: { dataset }, defaultPrevented }) {
  if (dataset.leaves !== undefined && !defaultPrevented) write(session, LEAVING, true);
}

/** Whether a form with data-leaves was sent: its answer is the next page. */
export const isLeaving = () => read(session, LEAVING, false);

/** On the log-in page (body[data-nobody]): removes the texts that nobody may find here. Error pages
 * share its frame, but somebody may still be logged in there. */
export function startForgetting() {
  if (document.body.dataset.nobody === undefined) return;
  const left = read(session, LEAVING, false);
  write(session, LEAVING, null);
  forget(({ kind }) => left || !STAYING.includes(kind));
  write(local, "account", null);
  if (left) forgetFiles(() => true);
  forgetDevice(left).catch((error) => console.info(error.message));
}
