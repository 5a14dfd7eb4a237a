// Loads what the room missed while the stream was down, and what no event says in a large UKM.

import * as api from "../core/api.js";
import { retried } from "../core/retry.js";
import { onReconnect } from "../live/connection_status.js";
import { on } from "../live/events_bus.js";
import { startMemberRefresh } from "./member_refresh.js";
import { JOINED } from "./presence.js";

const PAGE_SIZE = 100;
/** Within this time the server adds the topic of a new member's UKM to their stream. */
const TOPICS_MS = 5000;

/** After each reconnection loads the messages and members that `room` (room.js) missed; after a
 * reset of the stream also the state, and edits and deletions of the newest messages. The members of a
 * large UKM are also loaded again some time after a change. */
export function startResync(room) {
  const { url, timeline, presence, state, outbox, reading } = room;

  /** The id after which messages may be missing, null when none is missing. It stays until all
   * missing messages are loaded, because the stream brings newer messages meanwhile. */
  let from = null;

  async function loadMissed() {
    if (timeline.anchor.newerLeft) return;
    from ??= timeline.lastServerId;
    timeline.isIncomplete = true;
    for (let after = from, more = true; more; ) {
      const { messages } = await api.get(`${url}/messages?after=${after}&limit=${PAGE_SIZE}`);
      room.addFromServer(messages);
      after = messages.at(-1)?.id ?? after;
      more = messages.length === PAGE_SIZE;
    }
    from = null;
    timeline.isIncomplete = false;
    reading.checkSoon();
  }

  /** Loads the list of members, because the stream begins only with those who are online. */
  const loadPresence = () => presence.reload(() => api.get(`${url}/online`));

  /** Loads everything that may have changed in a gap that cannot be replayed. The state comes
   * first, because every other request of a person who was removed meanwhile is refused. */
  async function reload() {
    await state.reload();
    await loadMissed();
    const { messages: newest } = await api.get(`${url}/messages?limit=${PAGE_SIZE}`);
    for (const message of newest) timeline.change(message);
    await loadPresence();
  }

  // Retried, because no later event would repeat a failed request.
  const [catchUp, refreshPresence] = [retried(loadMissed), retried(loadPresence)];

  const panel = document.getElementById("members");
  const memberChanged = startMemberRefresh(presence, panel, refreshPresence);
  for (const type of ["presence", "membership"]) {
    on(type, (event) => event.ukm === room.code && memberChanged());
  }

  /** This person was removed and is a member again: the events between are lost, and the stream
   * sends this room's events again only after up to `TOPICS_MS`. */
  function rejoined() {
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
    if (own && JOINED.has(event.change)) rejoined();
  });
  on("reset", retried(reload));
  onReconnect(() => {
    outbox.flush();
    catchUp();
    refreshPresence();
    if (state.closedReason) state.reload();
  });
}
