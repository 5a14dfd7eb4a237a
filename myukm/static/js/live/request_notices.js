import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { on } from "./events_bus.js";

/** Notifies a UKM's admins on every page that somebody asks to join; not on the list itself, which
 * shows it. */
export function startRequestNotices() {
  on("ukm.requests", ({ ukm, asked }) => {
    const address = `/ukm/${ukm}/requests`;
    if (!asked || location.pathname.endsWith(address)) return;
    toast(t("asks_to_join", { name: asked, ukm }), "wait", [t("decide"), address]);
  });
}
