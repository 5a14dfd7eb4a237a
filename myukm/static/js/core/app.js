// The entry of every page that extends base.html; pages/auth.js is that of the others.

import { startNotifier } from "../chat/notifier.js";
import { startAlerts } from "../live/alerts.js";
import { startConnectionStatus } from "../live/connection_status.js";
import { connect, on } from "../live/events_bus.js";
import { startUnread } from "../live/unread.js";
import { startRunBar } from "../sync/run_bar.js";
import { startActivity } from "./activity.js";
import { startCharacterCounts } from "./character_count.js";
import { startConfirms } from "./dialog.js";
import { startLeaving } from "./left_behind.js";
import { mount } from "./mount.js";
import { startReveals } from "./reveal.js";
import { startThemes } from "./theme.js";
import { startClocks } from "./time.js";

startThemes();
startLeaving();
startClocks();
startConfirms();
startReveals();
startCharacterCounts();
startUnread();
startNotifier();
startRunBar();
startConnectionStatus();
startAlerts();
startActivity();
// Session ended: open the page anew, so that the next user does not see this one. A reload would send
// the form again that a page may be the answer to.
on("ended", () => location.replace(location.pathname + location.search));
// The stream opens last, because a module that starts later would miss its first events.
mount().finally(connect);
