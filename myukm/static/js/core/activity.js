import * as api from "./api.js";
import { write, local, read } from "./storage.js";

const REST_MS = 60_000;

const { account } = document.documentElement.dataset;
const key = `active:${account}`;

/** Tells the server at most once a minute that somebody is at one of this browser's pages: who is
 * not, is away. */
export function startActivity() {
  if (!account) return;
  for (const type of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(type, report, { passive: true });
  }
  document.addEventListener("visibilitychange", report);
  report();
}

function report() {
  const since = Date.now() - read(local, key, 0);
  if (document.hidden || (since >= 0 && since < REST_MS)) return;
  write(local, key, Date.now());
  api.post("/presence").catch(() => {});
}
