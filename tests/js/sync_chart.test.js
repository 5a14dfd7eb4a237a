import assert from "node:assert/strict";
import test from "node:test";
import { niceCeiling } from "../../myukm/static/js/core/chart_scale.js";
import { segments, thinned } from "../../myukm/static/js/sync/chart.js";

test("the scale ends at a round number that is not below the highest point", () => {
  assert.deepEqual([0, 1, 7, 11, 212, 950].map(niceCeiling), [1, 1, 8, 15, 250, 1000]);
});

test("a long run keeps every second point", () => {
  const points = Array.from({ length: 241 }, (_, second) => [second, 200, 0]);
  assert.equal(thinned(points.slice(1)).length, 240);
  assert.deepEqual(thinned(points).slice(0, 2), [points[0], points[2]]);
  assert.equal(thinned(points).length, 121);
});

test("a pause or a standstill is a gap of the line, also in a long run", () => {
  const points = [
    [1, 10, 0],
    [2, 12, 0],
    [9, null, null],
    [10, 11, 1],
  ];
  assert.deepEqual(segments(points, 1), [points.slice(0, 2), points.slice(3)]);
  assert.deepEqual(segments([[1, null, null]], 1), []);
  const long = Array.from({ length: 300 }, (_, at) => (at === 151 ? [at, null, null] : [at, 1, 0]));
  assert.equal(thinned(long).filter(([, rate]) => rate === null).length, 1);
});
