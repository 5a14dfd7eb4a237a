import assert from "node:assert/strict";
import test from "node:test";
import {
  counts,
  isLive,
  isStale,
  isSuspicious,
  mayDo,
  message,
  shownStatus,
} from "../../myukm/static/js/sync/state.js";
import { makePage } from "./page.js";

makePage({
  strings: {
    completed: "Selesai. {success} berhasil, {unchanged} tidak berubah.",
    completed_with_failures: "Selesai. {success} berhasil, {failed} gagal.",
    completed_some_failed: "Selesai, {failed} gagal",
    cancelled_part: "Dibatalkan, {processed} dari {total}",
    tried: "Uji coba: {changed} akan berubah, {failed} gagal.",
    cancelled: "Dibatalkan. {processed} sudah, {cancelled} tidak.",
    failed: "Tidak dapat dijalankan.",
    stalled: "Berhenti bergerak.",
    paused: "Dijeda.",
    suspicious: "Mencurigakan.",
    running: "Berjalan.",
    none_runs: "Tidak ada yang berjalan.",
  },
});

const run = (change) => ({
  run_id: 12,
  status: "running",
  dry_run: false,
  total: 6102,
  pending: 5902,
  processed: 200,
  success: 197,
  unchanged: 120,
  failed: 3,
  cancelled: 0,
  stalled: false,
  reason: null,
  reason_code: null,
  workers: 2,
  ...change,
});

const ACTIONS = ["start", "retry-failed", "reset", "pause", "resume", "accept", "cancel"];
const allowed = (progress) => ACTIONS.filter((action) => mayDo(action, progress));

test("each status allows the actions of the contract", () => {
  assert.deepEqual(allowed(run({ status: "idle", failed: 0 })), ["start"]);
  assert.deepEqual(allowed(run({ status: "queued" })), ["pause", "cancel"]);
  assert.deepEqual(allowed(run({ status: "running" })), ["pause", "cancel"]);
  assert.deepEqual(allowed(run({ status: "paused" })), ["resume", "cancel"]);
  assert.deepEqual(allowed(run({ status: "cancelling" })), []);
  for (const status of ["completed", "cancelled", "failed"]) {
    assert.deepEqual(allowed(run({ status })), ["start", "retry-failed", "reset"]);
  }
});

test("without failures there is nothing to retry", () => {
  assert.ok(!mayDo("retry-failed", run({ status: "completed", failed: 0 })));
});

test("suspicious answers are accepted, not resumed", () => {
  const held = run({ status: "paused", reason_code: "suspicious_api" });
  assert.ok(isSuspicious(held));
  assert.deepEqual(allowed(held), ["accept", "cancel"]);
});

test("a run lives until it has ended", () => {
  assert.ok(["queued", "running", "paused", "cancelling"].every((status) => isLive({ status })));
  assert.ok(!["idle", "completed", "cancelled", "failed"].some((status) => isLive({ status })));
});

test("an older progress object that arrives late is recognized by its counts or status", () => {
  assert.ok(isStale(run({ processed: 199 }), run()));
  assert.ok(!isStale(run(), run()));
  assert.ok(!isStale(run({ processed: 150, cancelled: 60 }), run()));
  assert.ok(!isStale(run({ run_id: 13, processed: 0 }), run()));
  assert.ok(isStale(run(), run({ status: "completed" })));
  assert.ok(!isStale(run({ status: "completed" }), run()));
  const written = run({ processed: 0 });
  assert.ok(isStale({ ...written, status: "queued", total: 0 }, written));
  assert.ok(isStale(run(), run({ status: "cancelling" })));
  assert.ok(!isStale(run({ status: "cancelled" }), run({ status: "cancelling" })));
});

test("a progress object of an earlier run that arrives late is stale, no run after a reset is not", () => {
  const none = run({ run_id: null, status: "idle", total: 0, processed: 0 });
  assert.ok(isStale(run({ run_id: 11, status: "completed", processed: 6102 }), run()));
  assert.ok(!isStale(none, run({ status: "completed" })));
  assert.ok(!isStale(run(), none));
});

test("counts are formatted, and changed is derived", () => {
  const { total, changed, workers } = counts(run());
  assert.deepEqual({ total, changed, workers }, { total: "6.102", changed: "77", workers: "2" });
});

test("the label of a run that left students out says so, and is not green", () => {
  const statuses = {
    completed: { label: "Selesai", tone: "good", icon: "good" },
    cancelled: { label: "Dibatalkan", tone: "neutral", icon: "stop" },
  };
  const shown = (change) => shownStatus(run(change), statuses);
  assert.equal(shown({ status: "completed", failed: 0 }), statuses.completed);
  assert.deepEqual(shown({ status: "completed" }), {
    label: "Selesai, 3 gagal",
    tone: "wait",
    icon: "warning",
  });
  assert.equal(shown({ status: "cancelled" }).label, "Dibatalkan, 200 dari 6.102");
});

test("the message says how the run ended or why it waits", () => {
  assert.deepEqual(message(run()), ["neutral", "Berjalan."]);
  assert.deepEqual(message(run({ status: "idle" })), ["neutral", "Tidak ada yang berjalan."]);
  assert.deepEqual(message(run({ status: "completed" })), [
    "wait",
    "Selesai. 197 berhasil, 3 gagal.",
  ]);
  assert.equal(message(run({ status: "completed", failed: 0 }))[0], "good");
  assert.deepEqual(message(run({ status: "completed", dry_run: true, failed: 0 })), [
    "good",
    "Uji coba: 77 akan berubah, 0 gagal.",
  ]);
  assert.deepEqual(message(run({ status: "failed", reason: "mengapa" })), [
    "bad",
    "Tidak dapat dijalankan.",
    "mengapa",
  ]);
  assert.equal(message(run({ status: "cancelled" }))[0], "neutral");
  assert.equal(message(run({ stalled: true, reason: "tak ada worker" }))[1], "Berhenti bergerak.");
  assert.equal(message(run({ status: "paused" }))[1], "Dijeda.");
  const held = run({ status: "paused", reason_code: "suspicious_api" });
  assert.equal(message(held)[1], "Mencurigakan.");
  assert.deepEqual(message(run({ reason: "API lambat" })), ["neutral", "API lambat"]);
});
