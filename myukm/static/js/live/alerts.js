import { accountId } from "../core/account.js";
import { firstTab } from "../core/first_tab.js";
import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { show } from "../push/notification.js";
import { isWanted } from "../push/notification_switch.js";
import { on } from "./events_bus.js";

export const ALERTS = "alert";
const TONES = { broken: "bad", error: "bad", warning: "wait" };
/** The numbers of an alert's events, as in domain/push/staff.py: it rings again when it gets worse. */
const NUMBERS = { warning: 1, broken: 2 };
const LOCK_HELD_MS = 60_000;
const COLLECT_MS = 100;
/** The ids of open alerts that this page has announced: their end is announced, too. */
const announced = new Set();

/** Shows each alert of the stream as a toast, and by one notification if this browser wants it.
 * After a long absence many events come at once: only the last event of each alert is shown, and an
 * alert that began and ended meanwhile is not shown at all. */
export function startAlerts() {
  const collected = new Map();
  on("alert", (alert) => {
    if (collected.size === 0) setTimeout(() => showAll(collected), COLLECT_MS);
    const { first = alert } = collected.get(alert.id) ?? {};
    collected.set(alert.id, { first, last: alert });
  });
}

function showAll(collected) {
  for (const { first, last } of collected.values()) {
    if (!last.resolved || first.resolved || announced.has(last.id)) announce(last);
  }
  collected.clear();
}

function announce(alert) {
  const note = toast(alert.message, alert.resolved ? "good" : (TONES[alert.level] ?? "neutral"));
  if (document.getElementById("findings")) onlyReadOut(note);
  if (alert.resolved) {
    announced.delete(alert.id);
    return;
  }
  announced.add(alert.id);
  notify(alert);
}

/** Shows a toast to screen readers only: on a phone it would cover the list of findings. */
function onlyReadOut(note) {
  note.className = "visually-hidden";
  note.querySelector("button").remove();
}

/** An alert that was pushed to this browser as well has the same tag and number, and does not ring
 * again. */
async function notify({ id, level, message }) {
  const name = `alert:${accountId()}:${id}:${level}`;
  if (!isWanted(ALERTS) || !(await firstTab(name, LOCK_HELD_MS))) return;
  const event = { path: "/admin/antrian", id: NUMBERS[level] };
  show(t("alert_title"), message, `alert-${id}`, event).catch((error) => {
    console.info(error.message); // the permission may be gone, or the phone refuses
  });
}
