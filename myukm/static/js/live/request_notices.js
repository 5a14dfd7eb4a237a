import { bidiIsolate, t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { on } from "./events_bus.js";

/** Shows a UKM's admins a toast when somebody asks to join, except on the page of the requests.
 * Each UKM has one toast, which is removed when no request is open. */
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
