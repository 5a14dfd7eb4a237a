import { accountId } from "./account.js";
import * as api from "./api.js";
import { local, read, write } from "./storage.js";

const REPORT_EVERY_MS = 60_000;

/** Reports, at most once a minute over all tabs of this browser, that somebody uses a page. The
 * server shows people without such reports as away. */
export function startActivity() {
  if (!accountId()) return;
  for (const type of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(type, report, { passive: true });
  }
  document.addEventListener("visibilitychange", report);
  report();
}

function report() {
  const key = `active:${accountId()}`;
  const since = Date.now() - read(local, key, 0);
  if (document.hidden || (since >= 0 && since < REPORT_EVERY_MS)) return;
  write(local, key, Date.now());
  api.post("/presence").catch(() => {});
}
