import { accountId } from "./account.js";
import * as api from "./api.js";
import { local, read, write } from "./storage.js";

const REPORT_EVERY_MS = 60_000;

let leaving = false;

/** The name of the lock that every visible page of this account holds. */
export const viewerLock = () => `looking:${accountId()}`;

/** Reports, at most once a minute over all tabs of this browser, that somebody uses a page. The
 * server shows people without such reports as away. */
export function startActivity() {
  if (!accountId()) return;
  for (const type of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(type, report, { passive: true });
  }
  addEventListener("pagehide", () => {
    leaving = true;
  });
  addEventListener("pageshow", () => {
    leaving = false;
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? hidden() : report()));
  report();
}

/** The last visible page of this browser is hidden: its owner is notified from now on. A change of
 * pages is none, and its end is seen by the stream's. */
async function hidden() {
  if (leaving) return;
  await new Promise((next) => setTimeout(next)); // after notifier.js has released this page's lock
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  if (!document.hidden || held.some(({ name }) => name === viewerLock())) return;
  write(local, `active:${accountId()}`, null);
  navigator.sendBeacon?.(`/presence/hidden?account=${accountId()}`);
}

function report() {
  const key = `active:${accountId()}`;
  const since = Date.now() - read(local, key, 0);
  if (document.hidden || (since >= 0 && since < REPORT_EVERY_MS)) return;
  write(local, key, Date.now());
  api.post("/presence").catch(() => {});
}
