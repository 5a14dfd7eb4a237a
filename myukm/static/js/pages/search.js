// Keeps the results of a search current by the stream.

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
  // Only events about this person carry `muted_until`. They may not be in the UKM any more.
  on("membership", (event) => "muted_until" in event && location.reload());
}
