import { startThemes } from "./theme.js";

startThemes();
