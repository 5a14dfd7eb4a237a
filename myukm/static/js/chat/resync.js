// Loads what the room missed while the stream was down.

import * as api from "../core/api.js";
import { onReconnect } from "../live/connection_status.js";
import { on } from "../live/events_bus.js";

const PAGE = 100;

/** Loads after each reconnection, and more after a reset of the stream. */
export function startResync(room) {
  const { url, timeline, presence, state, outbox, reading } = room;

  async function catchUp() {
    if (timeline.anchor.newerLeft) return;
    let page;
    do {
      page = await api.get(`${url}/messages?after=${timeline.lastServerId}&limit=${PAGE}`);
      room.addFromServer(page.messages);
    } while (page.messages.length === PAGE);
    reading.soon();
  }

  /** The whole list of members, because the stream's snapshot names only those who are here. */
  async function loadPresence() {
    presence.load(await api.get(`${url}/online`));
  }

  /** After a gap that cannot be replayed, edits and deletions of the newest page, too. */
  async function reload() {
    await catchUp();
    const { messages: newest } = await api.get(`${url}/messages?limit=${PAGE}`);
    for (const message of newest) timeline.change(message);
    await Promise.all([loadPresence(), state.ask()]);
  }

  /** A failure needs no handling, because the next reconnection loads again. */
  const ignoreErrors = (task) => () => task().catch((error) => console.info(error.message));

  on("reset", ignoreErrors(reload));
  onReconnect(() => {
    outbox.flush();
    ignoreErrors(catchUp)();
    ignoreErrors(loadPresence)();
  });
}
