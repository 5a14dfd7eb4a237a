import { renderRelativeTimes } from "./time.js";

const CONTROLS = "a[href], button, input, select, textarea";

/** The latest call whose answer is shown, by the id of the part. */
const shown = new Map();
let calls = 0;

/** Replaces the elements with these ids by those of a fresh copy of the page, and returns whether
 * the server sent one. Otherwise they stay: a failed network, or a session that ended. */
export async function reloadParts(ids) {
  calls += 1;
  const turn = calls;
  const fresh = await freshPage();
  if (!fresh) return false;
  for (const id of ids) {
    if (turn < (shown.get(id) ?? 0)) continue; // a later call was answered first
    shown.set(id, turn);
    replace(document.getElementById(id), fresh.getElementById(id));
  }
  renderRelativeTimes();
  return true;
}

async function freshPage() {
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    // After the end of the session the log-in page answers instead.
    if (!response.ok || response.redirected) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return null;
  }
}

/** Whoever is at a link or a button of the old part goes on at the same one of the new part. */
function replace(old, fresh) {
  if (!old || !fresh) return;
  const at = old.contains(document.activeElement) ? keyOf(document.activeElement) : null;
  old.replaceWith(fresh);
  if (at === null) return;
  const controls = [...fresh.querySelectorAll(CONTROLS)];
  controls.find((control) => keyOf(control) === at)?.focus({ preventScroll: true });
}

/** What tells a control from the others: where it leads, or what it sends. */
function keyOf(control) {
  const { localName, id, form, name, value, dataset } = control;
  const addresses = [control.getAttribute("href"), form?.getAttribute("action")];
  return JSON.stringify([localName, id, ...addresses, name, value, dataset]);
}
