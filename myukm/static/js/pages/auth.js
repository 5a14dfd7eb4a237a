// The entry module of auth/_frame.html: log-in pages, and error pages that need no log-in.

import { startCleanup } from "../core/left_behind.js";
import { startReveals } from "../core/reveal.js";
import { startThemes } from "../core/theme.js";

startThemes();
startReveals();
startCleanup();
