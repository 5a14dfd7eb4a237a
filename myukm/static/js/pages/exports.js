// The page of an account's exports: shows their progress, and the download once it is ready.

import { fillSlots } from "../core/dom.js";
import { number } from "../core/format.js";
import { t } from "../core/i18n.js";
import { reloader } from "../core/partial_reload.js";
import { onReconnect } from "../live/connection_status.js";
import { on } from "../live/events_bus.js";

const reload = reloader("files");

/** The state of each export for which the list was last loaded, by id: one reload per state. */
const loaded = new Map();

export default function startExports(root) {
  on("export.progress", (now) => show(root, now));
  on("export.ended", reload);
  on("reset", reload);
  onReconnect(reload);
}

function show(root, { id, state, url, done, total, percent }) {
  if (url !== `${location.pathname}/${id}`) return; // another page lists it
  const file = root.querySelector(`[data-export="${id}"]`);
  if (state !== (loaded.get(id) ?? file?.dataset.state)) {
    loaded.set(id, state);
    reload();
  }
  const bar = file?.querySelector("progress");
  if (!bar) return;
  bar.value = percent;
  const count = { done: number(done), total: number(total) };
  fillSlots(file, { count: t(done >= total ? "packing" : "count", count) });
}
