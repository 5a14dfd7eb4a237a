import { ApiError, networkErrors, REQUEST_TIMEOUT_MS } from "./api.js";
import { morph } from "./morph.js";
import { retried } from "./retry.js";
import { renderRelativeTimes } from "./time.js";

const CONTROLS = "a[href], button, input, select, textarea, summary";

/** The number of the latest call whose response is shown, by the id of the part. */
const shown = new Map();
let calls = 0;

/** Returns a listener that reloads the parts with these ids. A failed request is retried, because the
 * event that called the listener comes only once. */
export const reloader = (...ids) => retried(() => reloadParts(ids));

/** Replaces the elements with these ids by those of a fresh copy of the page. If the network
 * failed or the session ended, changes nothing and rejects with `ApiError`. */
export async function reloadParts(ids) {
  calls += 1;
  const call = calls;
  const fresh = await freshPage();
  for (const id of ids) {
    if (call < (shown.get(id) ?? 0)) continue; // a later call was answered first
    shown.set(id, call);
    replace(document.getElementById(id), fresh.getElementById(id));
  }
  renderRelativeTimes();
}

/** A copy of this page as the server renders it now. Rejects with `ApiError` if the network failed
 * or the session ended. */
export async function freshPage() {
  const signal = AbortSignal.timeout?.(REQUEST_TIMEOUT_MS);
  const headers = { Accept: "text/html" };
  const response = await networkErrors(fetch(location.href, { headers, signal }));
  // After the end of the session this is the log-in page.
  const status = response.redirected ? 401 : response.status;
  if (status !== 200) throw new ApiError(status, "no_page", "the page was not reloaded");
  return new DOMParser().parseFromString(await networkErrors(response.text()), "text/html");
}

/** Replaces the part, and keeps the focus on the same control and each <details data-fold> as it is. */
function replace(old, fresh) {
  if (!old || !fresh) return;
  for (const details of fresh.querySelectorAll("details[data-fold]")) {
    details.open = foldIn(old, details.dataset.fold)?.open ?? details.open;
  }
  const { activeElement: focused } = document;
  const focusedKey = old.contains(focused) ? keyOf(focused) : null;
  morph(old, fresh);
  if (focusedKey === null || focused.isConnected) return;
  const controls = [...document.getElementById(fresh.id).querySelectorAll(CONTROLS)];
  controls.find((control) => keyOf(control) === focusedKey)?.focus({ preventScroll: true });
}

function foldIn(part, name) {
  return [...part.querySelectorAll("details[data-fold]")].find(
    ({ dataset }) => dataset.fold === name,
  );
}

/** A key that is the same for a control and its fresh copy: its address, what it sends or
 * unfolds. */
function keyOf(control) {
  const { localName, id, form, name, value, dataset, parentElement } = control;
  const addresses = [control.getAttribute("href"), form?.getAttribute("action")];
  const hidden = [...(form?.querySelectorAll("[type=hidden]") ?? [])].map((field) => field.value);
  const fold = localName === "summary" ? parentElement.dataset.fold : null;
  return JSON.stringify([localName, id, ...addresses, ...hidden, name, value, dataset, fold]);
}
