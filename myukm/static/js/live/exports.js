import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { on } from "./events_bus.js";

/** Shows a toast when a file that this account asked for is ready, or failed. */
export function startExportNotices() {
  on("export.ended", ({ kind, state, url, reason }) => {
    const file = kind.toUpperCase();
    if (state === "ready")
      toast(t("export_ready", { file }), "good", [t("export_get", { file }), url]);
    else toast(reason, "bad");
  });
}
