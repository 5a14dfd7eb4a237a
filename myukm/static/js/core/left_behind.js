// What people wrote and did not send lies in localStorage, under their account. It leaves the browser
// with them: at the log-out here all of it; where a log-in ended without them (elsewhere, or it ran
// out) the drafts, while what they had sent off waits for them to log in again; and all that is
// another's as soon as somebody logs in.

import { write, local, read } from "./storage.js";

const KEY = /^(draft|outbox):(\d+):/;
const LEAVING = "leaving";
const session = () => window.sessionStorage;

/** Returns the key, the kind and the account of each text; none where a browser forbids the store. */
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

/** On a page of an account: forgets the others', and notices that its person leaves by a form with
 * data-leaves; where that names a dialog, it asks before unsent messages are lost. */
export function startLeaving({ account }) {
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

/** At the door, where nobody is logged in any more (error pages look like it). */
export function startForgetting() {
  if (document.body.dataset.nobody === undefined) return;
  const left = read(session, LEAVING, false);
  write(session, LEAVING, null);
  forget(({ kind }) => left || kind === "draft");
}
