import { startActivity } from "./activity.js";
import { startAlerts } from "./alerts.js";
import { startConfirms } from "./dialog.js";
import { startLeaving } from "./left_behind.js";
import { startReveals } from "./reveal.js";
import { startRinging } from "./ring.js";
import { startRunBar } from "./run_bar.js";
import { on } from "./stream.js";
import { startThemes } from "./theme.js";
import { startClocks } from "./time.js";
import { startUnread } from "./unread.js";

startThemes();
startLeaving(document.documentElement.dataset);
startClocks();
startConfirms();
startReveals();
startUnread();
startRinging();
startRunBar();
startAlerts();
startActivity();
// What stands here was for who was logged in; the server asks whoever sits here now.
on("ended", () => location.reload());
