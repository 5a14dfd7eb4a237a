import assert from "node:assert/strict";
import test from "node:test";
import {
  events,
  extended,
  hasGapBefore,
  parts,
  rows,
} from "../../myukm/static/js/queues/history_series.js";

const at = (minute, second = 0) =>
  new Date(Date.UTC(2026, 10, 30, 12, minute, second)).toISOString();

const series = {
  step: 10,
  from: at(0),
  to: at(1),
  at: [at(0, 10), at(0, 20), at(0, 50), at(1)],
  queues: { high: { waiting: [1, 2, 3, 4] } },
  starts: [{ at: at(0, 10), role: "web", count: 2 }],
  runs: [{ run_id: 7, started_at: at(0, 30), finished_at: null }],
};
const point = (moment, waiting, more = {}) => ({
  step: 10,
  to: moment,
  at: [moment],
  queues: { high: { waiting: [waiting] } },
  starts: [],
  runs: [],
  ...more,
});

test("a point that begins more than a step later may follow points that the page missed", () => {
  assert.ok(!hasGapBefore(series, point(at(1, 10), 5)));
  assert.ok(hasGapBefore(series, point(at(1, 20), 5)));
  assert.ok(!hasGapBefore({ ...series, at: [] }, point(at(1, 20), 5)));
});

test("time without a sample and a sample without a value are gaps", () => {
  const values = (column) => parts(series, column).map((part) => part.map(([, value]) => value));
  assert.deepEqual(values([1, 2, 3, 4]), [
    [1, 2],
    [3, 4],
  ]);
  assert.deepEqual(values([1, null, 3, 4]), [[1], [3, 4]]);
  assert.deepEqual(values([null, null, null, null]), []);
});

test("a new point moves the span of time and is added once", () => {
  const added = point(at(1, 15), 5, { starts: [{ at: at(1, 15), role: "web", count: 1 }] });
  const longer = extended(extended(series, added), added);
  assert.deepEqual(longer.at, [at(0, 20), at(0, 50), at(1), at(1, 15)]);
  assert.deepEqual(longer.queues.high.waiting, [2, 3, 4, 5]);
  assert.deepEqual([longer.from, longer.to], [at(0, 15), at(1, 15)]);
  assert.deepEqual(longer.starts, added.starts);
});

test("a run that ends replaces itself, and is dropped when the span has moved past it", () => {
  const ended = { run_id: 7, started_at: at(0, 30), finished_at: at(1, 5) };
  const after = extended(series, point(at(1, 10), 0, { runs: [ended] }));
  assert.deepEqual(after.runs, [ended]);
  assert.deepEqual(extended(after, point(at(3), 0)).runs, []);
  assert.deepEqual(extended(after, point(at(3), 0)).at, [at(3)]);
});

test("an empty series takes its first point", () => {
  const empty = { ...series, at: [], queues: { high: { waiting: [] } }, starts: [], runs: [] };
  assert.deepEqual(extended(empty, point(at(1, 10), 3)).queues.high.waiting, [3]);
});

test("rows and events begin with the newest", () => {
  assert.deepEqual(rows(series, "high")[0], { at: at(1), waiting: 4 });
  assert.deepEqual(
    events(series).map(({ kind, begin }) => [kind, begin]),
    [
      ["run", at(0, 30)],
      ["start", at(0, 10)],
    ],
  );
});
