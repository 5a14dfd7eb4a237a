import { accountId } from "./account.js";
import * as api from "./api.js";
import { local, read, write } from "./storage.js";

const REPORT_EVERY_MS = 60_000;

let leaving = false;
/** When this page reported last, if the browser cannot store that. */
let reportedAt = 0;

/** The name of the web lock that every visible page of this account holds (chat/notifier.js). */
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
  document.addEventListener("visibilitychange", () =>
    document.hidden ? reportHidden() : report(),
  );
  report();
}

/** Reports that no page of this browser is visible any more, so that the server pushes messages from
 * now on. A page that is left reports nothing, because either the next page opens, or the server
 * notices that the stream ended. */
async function reportHidden() {
  if (leaving) return;
  await new Promise((next) => setTimeout(next)); // after notifier.js has released this page's lock
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  if (!document.hidden || held.some(({ name }) => name === viewerLock())) return;
  write(local, `active:${accountId()}`, null);
  reportedAt = 0;
  navigator.sendBeacon?.(`/presence/hidden?account=${accountId()}`);
}

function report() {
  const key = `active:${accountId()}`;
  const since = Date.now() - Math.max(read(local, key, 0), reportedAt);
  if (document.hidden || (since >= 0 && since < REPORT_EVERY_MS)) return;
  if (!write(local, key, Date.now())) reportedAt = Date.now();
  api.post("/presence").catch(() => {});
}
