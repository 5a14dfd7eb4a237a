import assert from "node:assert/strict";
import test from "node:test";
import { makePage } from "./page.js";

makePage({ strings: {} });
const { endOf, RunEnds } = await import("../../myukm/static/js/sync/run_end.js");

const running = { run_id: 7, status: "running", reason_code: null };
const guard = { ...running, status: "paused", reason_code: "suspicious_api" };
const refused = { ...guard, reason_code: "unauthorized" };
const done = { ...running, status: "completed" };

const noRun = { run_id: null };

/** The ends that are announced by a page that was rendered without a run and receives these progress
 * objects. */
const announced = (...received) => announcedSince(noRun, ...received);

/** The same for a page that was rendered with the state `run`. */
function announcedSince(run, ...received) {
  const ends = new RunEnds(run);
  return received.filter((progress) => ends.isNew(progress)).map(endOf);
}

test("an end is announced once, though the stream repeats it", () => {
  assert.deepEqual(announced(running, running, done, done), ["completed"]);
  assert.deepEqual(announced(running, { ...done, status: "failed" }), ["failed"]);
  assert.deepEqual(announced(running, { ...done, status: "cancelled" }), ["cancelled"]);
});

test("a pause by the guard or by a refusal is announced, one by a person is not", () => {
  const byPerson = { ...running, status: "paused" };
  assert.deepEqual(announced(running, byPerson, running, done), ["completed"]);
  assert.deepEqual(announced(running, guard, guard, running, guard), [
    "paused suspicious_api",
    "paused suspicious_api",
  ]);
  assert.deepEqual(announced(running, refused, done), ["paused unauthorized", "completed"]);
});

test("a pause that the page was rendered with is not announced, but what follows is", () => {
  assert.deepEqual(announcedSince(guard, guard), []);
  assert.deepEqual(announcedSince(guard, guard, running, guard, done), [
    "paused suspicious_api",
    "completed",
  ]);
  assert.deepEqual(announcedSince(running, guard), ["paused suspicious_api"]);
  assert.deepEqual(announcedSince(running, done), ["completed"]);
});

test("a run that the page never saw alive is announced only if it waits for a decision", () => {
  assert.deepEqual(announced(done, done), []);
  assert.deepEqual(announced(guard, guard), ["paused suspicious_api"]);
  assert.deepEqual(announcedSince({ ...guard, run_id: 6 }, guard), ["paused suspicious_api"]);
  assert.deepEqual(announced({ run_id: null, status: "idle", reason_code: null }), []);
});
