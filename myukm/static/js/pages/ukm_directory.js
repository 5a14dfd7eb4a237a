// The directory of UKMs follows what admins decide about this person's requests.

import { reloader } from "../core/partial_reload.js";
import { on, onGap } from "../live/events_bus.js";

export default function startDirectory() {
  const reload = reloader("directory");
  on("ukm.refused", reload);
  onGap(reload);
  on("membership", (event) => "muted_until" in event && reload());
}
