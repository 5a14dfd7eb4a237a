// Loads what the room missed while the stream was down.

import * as api from "../core/api.js";
import { retried } from "../core/retry.js";
import { onReconnect } from "../live/connection_status.js";
import { on } from "../live/events_bus.js";
import { JOINED } from "./presence.js";

const PAGE = 100;
/** Within that time the server adds the topic of a new member's UKM to their stream. */
const TOPICS_MS = 5000;

/** Loads what `room` (room.js) missed after each reconnection, and more after a reset of the stream. */
export function startResync(room) {
  const { url, timeline, presence, state, outbox, reading } = room;

  /** The id after which messages may be missing; null when none are. It is kept until all are loaded,
   * because the stream goes on meanwhile: then the newest message says nothing about those before. */
  let from = null;

  async function loadMissed() {
    if (timeline.anchor.newerLeft) return;
    from ??= timeline.lastServerId;
    timeline.isIncomplete = true;
    for (let after = from, more = true; more; ) {
      const { messages } = await api.get(`${url}/messages?after=${after}&limit=${PAGE}`);
      room.addFromServer(messages);
      after = messages.at(-1)?.id ?? after;
      more = messages.length === PAGE;
    }
    from = null;
    timeline.isIncomplete = false;
    reading.soon();
  }

  /** Loads the list of members, because the stream begins only with those who are online. */
  async function loadPresence() {
    presence.load(await api.get(`${url}/online`));
  }

  /** After a gap that cannot be replayed: also edits and deletions among the newest messages. The state
   * comes first, because every other call is refused to a person who was removed meanwhile. */
  async function reload() {
    await state.reload();
    await loadMissed();
    const { messages: newest } = await api.get(`${url}/messages?limit=${PAGE}`);
    for (const message of newest) timeline.change(message);
    await loadPresence();
  }

  // Retried, because no later event would load what a failed call did not.
  const [catchUp, refreshPresence] = [retried(loadMissed), retried(loadPresence)];

  /** This person was removed and taken back: events between are lost, and the stream brings those of
   * this room again only some seconds later. */
  function takenBack() {
    if (timeline.anchor.newerLeft) return;
    from ??= timeline.lastServerId;
    timeline.isIncomplete = true;
    setTimeout(() => {
      catchUp();
      refreshPresence();
    }, TOPICS_MS);
  }

  on("membership", (event) => {
    const own = event.ukm === room.code && "muted_until" in event;
    if (own && JOINED.has(event.change)) takenBack();
  });
  on("reset", retried(reload));
  onReconnect(() => {
    outbox.flush();
    catchUp();
    refreshPresence();
    if (state.closedReason) state.reload();
  });
}
