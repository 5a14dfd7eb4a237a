import assert from "node:assert/strict";
import test from "node:test";
import { niceCeiling, thinned } from "../../myukm/static/js/sync/chart.js";

test("the scale ends at a round number that is not below the highest point", () => {
  assert.deepEqual([0, 1, 7, 11, 212, 950].map(niceCeiling), [1, 1, 8, 15, 250, 1000]);
});

test("a long run keeps every second point", () => {
  const points = Array.from({ length: 241 }, (_, second) => [second, 200, 0]);
  assert.equal(thinned(points.slice(1)).length, 240);
  assert.deepEqual(thinned(points).slice(0, 2), [points[0], points[2]]);
  assert.equal(thinned(points).length, 121);
});
