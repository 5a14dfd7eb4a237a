import assert from "node:assert/strict";
import test from "node:test";
import { barState } from "../../myukm/static/js/sync/run_bar.js";
import { makePage } from "./page.js";

const KEYS = "queued running cancelling stalled paused paused_by guard refused completed";
const MORE = "completed_failures cancelled failed tried";
const FIELDS = " {name}{reason}{success}/{failed}";
const strings = Object.fromEntries(
  `${KEYS} ${MORE}`.split(" ").map((key) => [`run_${key}`, key + FIELDS]),
);
makePage({ strings });

const RUN = { status: "running", success: 5, failed: 0, stalled: false, reason: null };

/** Tone, icon, key and text of the bar of a run. */
function said(change) {
  const [tone, icon, text] = barState({ ...RUN, ...change });
  return [tone, icon, text.split(" ")[0], text];
}

test("every state of a run has its word, colour and icon", () => {
  for (const [change, expected] of [
    [{}, ["neutral", "sync", "running"]],
    [{ status: "queued" }, ["neutral", "sync", "queued"]],
    [{ status: "cancelling" }, ["neutral", "stop", "cancelling"]],
    [{ stalled: true, reason: "API" }, ["wait", "warning", "stalled"]],
    [{ status: "paused" }, ["wait", "pause", "paused"]],
    [{ status: "paused", paused_by: "Siti" }, ["wait", "pause", "paused_by"]],
    [{ status: "paused", reason_code: "suspicious_api" }, ["wait", "warning", "guard"]],
    [{ status: "paused", reason_code: "unauthorized" }, ["bad", "warning", "refused"]],
    [{ status: "completed" }, ["good", "good", "completed"]],
    [{ status: "completed", failed: 2 }, ["wait", "warning", "completed_failures"]],
    [{ status: "completed", dry_run: true }, ["good", "info", "tried"]],
    [{ status: "completed", dry_run: true, failed: 2 }, ["wait", "info", "tried"]],
    [{ status: "cancelled" }, ["neutral", "stop", "cancelled"]],
    [{ status: "failed", reason: "rusak" }, ["bad", "bad", "failed"]],
  ]) {
    assert.deepEqual(said(change).slice(0, 3), expected);
  }
});

test("the bar says who paused the run and why it stands still", () => {
  assert.match(said({ status: "paused", paused_by: "Siti" })[3], /Siti/);
  assert.match(said({ stalled: true, reason: "API diam" })[3], /API diam/);
});
