import { on } from "../live/events_bus.js";
import { isStale } from "./state.js";

/** Calls `listener(progress)` on each progress event, except events that arrive after a newer
 * one. */
export function onProgress(listener) {
  let latest = null;
  on("sync.progress", (progress) => {
    if (latest && isStale(progress, latest)) return;
    latest = progress;
    listener(progress);
  });
}
