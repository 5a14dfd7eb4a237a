// The outbox of a room, whose messages the timeline shows.

import { showProgress } from "./message_files.js";
import { Outbox } from "./outbox.js";
import { WaitingFiles } from "./waiting_files.js";

/** Shows the pictures that a reload has left waiting. */
export async function restorePictures(outbox) {
  for (const entry of outbox.entries().filter(({ files }) => files)) {
    await outbox.files.restore(entry);
    outbox.update(entry.client_id, {});
  }
}

/** Opens the outbox of the room of `{me, name, code, url, timeline}`. */
export function makeOutbox({ me, name, code, url, timeline }) {
  const author = { user_id: me, name, ukm: code };
  const outbox = new Outbox(`outbox:${me}:${code}`, url, author, {
    changed: (entry) => timeline.showPending(entry),
    sent: (message) => timeline.upsert(message),
    files: new WaitingFiles(url, me, (id, share) => showProgress(timeline.pending.get(id), share)),
  });
  restorePictures(outbox);
  return outbox;
}
