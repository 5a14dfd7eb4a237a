import { bidiIsolate, t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { on } from "./events_bus.js";

/** Shows a UKM's admins a toast when somebody asks to join: one for each UKM, removed when no request is
 * open; not on the page of the requests. */
export function startRequestNotices() {
  const notes = new Map();
  on("ukm.requests", ({ ukm, open, asked }) => {
    const address = `/ukm/${ukm}/requests`;
    if (asked || !open) notes.get(ukm)?.remove();
    if (!asked || location.pathname.endsWith(address)) return;
    const text = t("asks_to_join", { name: bidiIsolate(asked), ukm });
    notes.set(ukm, toast(text, "wait", [t("decide"), address]));
  });
}
