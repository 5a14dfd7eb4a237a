// Loads what the room missed while the stream was down.

import * as api from "../core/api.js";
import { retried } from "../core/retry.js";
import { onReconnect } from "../live/connection_status.js";
import { on } from "../live/events_bus.js";

const PAGE = 100;

/** Loads after each reconnection, and more after a reset of the stream. */
export function startResync(room) {
  const { url, timeline, presence, state, outbox, reading } = room;

  /** From where messages may be missing, until all are there: the stream goes on meanwhile, and the
   * newest message says nothing about those before it. */
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

  /** The whole list of members, because the stream's snapshot names only those who are here. */
  async function loadPresence() {
    presence.load(await api.get(`${url}/online`));
  }

  /** After a gap that cannot be replayed, edits and deletions of the newest page, too. */
  async function reload() {
    await loadMissed();
    const { messages: newest } = await api.get(`${url}/messages?limit=${PAGE}`);
    for (const message of newest) timeline.change(message);
    await Promise.all([loadPresence(), state.ask()]);
  }

  // No event asks for any of them once more.
  const [catchUp, refreshPresence] = [retried(loadMissed), retried(loadPresence)];
  on("reset", retried(reload));
  onReconnect(() => {
    outbox.flush();
    catchUp();
    refreshPresence();
    if (state.closedReason) state.ask();
  });
}
