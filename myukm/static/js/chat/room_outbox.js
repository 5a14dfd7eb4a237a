// The outbox of a room, whose messages the timeline shows.

import { showProgress } from "./message_files.js";
import { Outbox } from "./outbox.js";
import { WaitingFiles } from "./waiting_files.js";

/** Shows the pictures of a waiting message. */
export async function showPictures(outbox, { client_id: clientId, files }) {
  if (!files) return;
  const prepared = await Promise.all(files.map((file) => outbox.files.prepare(file)));
  outbox.update(clientId, { files: prepared });
}

/** Shows the pictures of all waiting messages after a reload. */
export const restorePictures = (outbox) =>
  Promise.all(outbox.entries().map((entry) => showPictures(outbox, entry)));

/** Opens the outbox of a room: `me` is the id of the account and `authorName` its name. */
export function makeOutbox({ me, authorName, code, url, timeline }) {
  const author = { user_id: me, name: authorName, ukm: code };
  const outbox = new Outbox(`outbox:${me}:${code}`, url, author, {
    changed: (entry) => timeline.showPending(entry),
    sent: (message) => timeline.confirm(message),
    files: new WaitingFiles(url, me, (id, share) => showProgress(timeline.pending.get(id), share)),
  });
  // Another tab has sent or discarded messages.
  addEventListener("storage", ({ key }) => {
    if (key !== outbox.key) return;
    const kept = new Set(outbox.entries().map((entry) => entry.client_id));
    for (const clientId of timeline.pending.keys())
      if (!kept.has(clientId)) timeline.drop(clientId);
  });
  restorePictures(outbox);
  return outbox;
}
