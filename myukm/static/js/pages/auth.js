// The entry of the log-in pages and of error pages.

import { startForgetting } from "../core/left_behind.js";
import { startReveals } from "../core/reveal.js";
import { startThemes } from "../core/theme.js";

startThemes();
startReveals();
startForgetting();
