// Keeps the results of a search current by the stream.

import { JOINED } from "../chat/presence.js";
import { reloader } from "../core/partial_reload.js";
import { on } from "../live/events_bus.js";

const entryOf = (id) => document.querySelector(`[data-message="${id}"]`);
const searchAgain = reloader("search-results");

export default function startSearch() {
  on("chat.deleted", ({ id }) => {
    const entry = entryOf(id);
    entry?.remove();
    if (entry) searchAgain();
  });
  on("reset", searchAgain);
  on("chat.edited", ({ id }) => entryOf(id) && searchAgain());
  on("membership", (event) => scopeChanged(event) && location.reload());
}

/** Whether this person came into a UKM or is no longer in it, and may search in others than before. Only
 * the copy of the event to this person has `muted_until`. */
function scopeChanged(event) {
  return "muted_until" in event && (!event.member || JOINED.has(event.change));
}
