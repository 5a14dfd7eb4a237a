import { startActivity } from "./activity.js";
import { startAlerts } from "./alerts.js";
import { startConfirms } from "./dialog.js";
import { startRunBar } from "./run_bar.js";
import { on } from "./stream.js";
import { say } from "./text.js";
import { startThemes } from "./theme.js";
import { startClocks } from "./time.js";
import { toast } from "./toast.js";
import { startUnread } from "./unread.js";

startThemes();
startClocks();
startConfirms();
startUnread();
startRunBar();
startAlerts();
startActivity();
on("ended", () => toast(say("logged_out"), "wait"));
