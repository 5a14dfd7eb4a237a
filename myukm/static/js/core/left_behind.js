// Removes unsent texts from a browser that others use, too. Drafts and outbox lie in localStorage
// under their account:
// - Log-out here removes all of them.
// - When a session ends otherwise (elsewhere, or by its age) drafts go; the outbox stays, because
//   its author may log in again and expects it to be sent.
// - A log-in removes the texts of all other accounts.

import { accountId } from "./account.js";
import { local, read, write } from "./storage.js";

const KEY = /^(draft|outbox):(\d+):/;
const LEAVING = "leaving";
const session = () => window.sessionStorage;

/** The key, the kind and the account of each text; none where the browser forbids the store. */
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
  const leave = ({ target: { dataset } }) => {
    if (dataset.leaves === undefined) return;
    write(session, LEAVING, true);
    if (dataset.leaves && texts().some(({ kind }) => kind === "outbox")) {
      dataset.confirm = dataset.leaves;
    }
  };
  document.addEventListener("submit", leave, true);
}

/** On the log-in page (body[data-nobody]): removes the texts that nobody may find here. Error pages
 * share its frame, but somebody may still be logged in there. */
export function startForgetting() {
  if (document.body.dataset.nobody === undefined) return;
  const left = read(session, LEAVING, false);
  write(session, LEAVING, null);
  forget(({ kind }) => left || kind === "draft");
}
