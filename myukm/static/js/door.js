import { startForgetting } from "./left_behind.js";
import { startReveals } from "./reveal.js";
import { startThemes } from "./theme.js";

startThemes();
startReveals();
startForgetting();
