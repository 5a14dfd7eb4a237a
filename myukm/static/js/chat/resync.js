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

/** The messages of `room` (room.js) that came while its stream was down. */
class MissedMessages {
  /** The id after which messages may be missing, null when none is missing. It stays until all
   * missing messages are loaded, because the stream brings newer messages meanwhile. */
  #after = null;

  constructor(room) {
    this.room = room;
  }

  /** Notes that messages may be missing from now on. Returns false for a timeline that ends before
   * the newest message, because it loads newer messages itself. */
  begin() {
    const { timeline } = this.room;
    if (timeline.anchor.newerLeft) return false;
    this.#after ??= timeline.lastServerId;
    timeline.isIncomplete = true;
    return true;
  }

  async load() {
    if (!this.begin()) return;
    const { room } = this;
    for (let after = this.#after, more = true; more; ) {
      const { messages } = await api.get(`${room.url}/messages?after=${after}&limit=${PAGE_SIZE}`);
      room.addFromServer(messages);
      after = messages.at(-1)?.id ?? after;
      more = messages.length === PAGE_SIZE;
    }
    this.#after = null;
    room.timeline.isIncomplete = false;
    room.reading.checkSoon();
  }
}

/** Loads the list of members, because the stream begins only with those who are online. */
const loadPresence = ({ presence, url }) => presence.reload(() => api.get(`${url}/online`));

/** Loads everything that may have changed in a gap that cannot be replayed. The state comes first,
 * because every other request of a person who was removed meanwhile is refused. */
async function reload(room, missed) {
  await room.state.reload();
  await missed.load();
  const { messages: newest } = await api.get(`${room.url}/messages?limit=${PAGE_SIZE}`);
  for (const message of newest) room.timeline.change(message);
  await loadPresence(room);
}

/** Loads the members of a large UKM again some time after a change. */
function refreshMembers(room, refreshPresence) {
  const panel = document.getElementById("members");
  const memberChanged = startMemberRefresh(room.presence, panel, refreshPresence);
  for (const type of ["presence", "membership"]) {
    on(type, (event) => event.ukm === room.code && memberChanged());
  }
}

/** After each reconnection loads the messages and members that `room` missed; after a reset of the
 * stream also the state, and edits and deletions of the newest messages. */
export function startResync(room) {
  const missed = new MissedMessages(room);
  // Retried, because no later event would repeat a failed request.
  const refreshPresence = retried(() => loadPresence(room));
  const loadMissed = retried(() => missed.load());
  const catchUp = () => {
    loadMissed();
    refreshPresence();
  };

  refreshMembers(room, refreshPresence);
  on("membership", (event) => {
    const own = event.ukm === room.code && "muted_until" in event;
    // This person was removed and is a member again: the events between are lost, and the stream
    // sends this room's events again only after up to `TOPICS_MS`.
    if (own && JOINED.has(event.change) && missed.begin()) setTimeout(catchUp, TOPICS_MS);
  });
  on(
    "reset",
    retried(() => reload(room, missed)),
  );
  onReconnect(() => {
    room.outbox.flush();
    catchUp();
    if (room.state.closedReason) room.state.reload();
  });
}
