// The entry module of every page that extends base.html; pages/auth.js is the entry of the others.

import { startNotifier } from "../chat/notifier.js";
import { startSaving } from "../chat/saved_messages.js";
import { startAlerts } from "../live/alerts.js";
import { startConnectionStatus } from "../live/connection_status.js";
import { connect, on } from "../live/events_bus.js";
import { startExportNotices } from "../live/exports.js";
import { startRequestNotices } from "../live/request_notices.js";
import { startUnread } from "../live/unread.js";
import { registration as registerServiceWorker } from "../push/registration.js";
import { renew as renewSubscription } from "../push/subscription.js";
import { startRunBar } from "../sync/run_bar.js";
import { startRunEnds } from "../sync/run_end.js";
import { accountId } from "./account.js";
import { startActivity } from "./activity.js";
import { startCharacterCounts } from "./character_count.js";
import { startConfirms } from "./dialog.js";
import { startInstall } from "./install.js";
import { isLeaving, startLeaving } from "./left_behind.js";
import { mount } from "./mount.js";
import { openAnew } from "./open_anew.js";
import { startReveals } from "./reveal.js";
import { startSearchKey } from "./search_key.js";
import { startThemes } from "./theme.js";
import { startClocks } from "./time.js";

/** How long a log-out may take to open the next page, before this page is loaded anew. */
const LEAVING_MS = 10_000;

startThemes();
startLeaving();
startClocks();
startConfirms();
startReveals();
startCharacterCounts();
startUnread();
startNotifier();
startRunBar();
startRunEnds();
startConnectionStatus();
startAlerts();
startExportNotices();
startRequestNotices();
startActivity();
startSearchKey();
startSaving();
startInstall();
renewSubscription().catch((error) => console.info(error.message));
if (accountId()) {
  for (const type of ["load", "online"]) addEventListener(type, registerServiceWorker);
}
// Another role may open other pages, and may no longer receive the events that this page needs.
on("account.role", openAnew);
// The session ended: the next user must not see this page. After a log-out the browser is already
// opening the next page.
on("ended", () => setTimeout(openAnew, isLeaving() ? LEAVING_MS : 0));
// The stream opens last, so that every module listens before the first events.
mount().finally(connect);
