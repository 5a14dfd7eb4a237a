import { accountId } from "../core/account.js";
import { firstTab } from "../core/first_tab.js";
import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { show } from "../push/notification.js";
import { wanted } from "../push/notification_switch.js";
import { on } from "./events_bus.js";

export const ALERTS = "alert";
const TONES = { broken: "bad", error: "bad", warning: "wait" };
const HELD_MS = 60_000;

/** Shows each alert of the stream as a toast, and by one notification if this browser wants it. */
export function startAlerts() {
  on("alert", (alert) => {
    const note = toast(alert.message, alert.resolved ? "good" : (TONES[alert.level] ?? "neutral"));
    if (document.getElementById("findings")) onlyReadOut(note);
    if (!alert.resolved) notify(alert);
  });
}

/** A page that lists the findings shows it already, and on a phone toasts would cover the list. */
function onlyReadOut(note) {
  note.className = "visually-hidden";
  note.querySelector("button").remove();
}

/** One that was pushed to this browser as well has the same tag and id, and does not ring again. */
async function notify({ id, level, message }) {
  const name = `alert:${accountId()}:${id}:${level}`;
  if (!wanted(ALERTS) || !(await firstTab(name, HELD_MS))) return;
  show(t("alert_title"), message, `alert-${id}`, { path: "/admin/antrian", id }).catch((error) => {
    console.info(error.message); // the permission may be gone, or the phone refuses
  });
}
