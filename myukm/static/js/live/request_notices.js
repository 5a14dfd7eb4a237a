import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { on } from "./events_bus.js";

/** Notifies a UKM's admins on every page that somebody asks to join, in one note for each UKM while
 * requests are open; not on the list itself, which shows them. */
export function startRequestNotices() {
  const notes = new Map();
  on("ukm.requests", ({ ukm, open, asked }) => {
    const address = `/ukm/${ukm}/requests`;
    if (asked || !open) notes.get(ukm)?.remove();
    if (!asked || location.pathname.endsWith(address)) return;
    const text = t("asks_to_join", { name: asked, ukm });
    notes.set(ukm, toast(text, "wait", [t("decide"), address]));
  });
}
