import { on } from "../live/events_bus.js";
import { isStale } from "./state.js";

/** Calls `listener(progress)` on each progress event, except those that a later one has overtaken. */
export function onProgress(listener) {
  let latest = null;
  on("sync.progress", (progress) => {
    if (latest && isStale(progress, latest)) return;
    latest = progress;
    listener(progress);
  });
}
