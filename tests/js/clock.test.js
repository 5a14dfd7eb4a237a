import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { makePage } from "./page.js";

const MADE = "2026-12-01T02:00:00Z";
const HOUR_MS = 3_600_000;

let monotonic;
let wall;
let now;
let syncFromHeader;
let copies = 0;

const shown = () => new Date(now()).toISOString().replace(".000", "");

beforeEach(async () => {
  makePage({ dataset: { now: MADE } });
  [monotonic, wall] = [500, Date.parse("2026-11-28T00:00:00Z")]; // this device is days behind
  mock.method(performance, "now", () => monotonic);
  mock.method(Date, "now", () => wall);
  copies += 1;
  ({ now, syncFromHeader } = await import(`../../myukm/static/js/core/clock.js?${copies}`));
  now();
});

test("the time is the server's, whatever the device's clock shows", () => {
  assert.equal(shown(), MADE);
  monotonic += HOUR_MS;
  wall += HOUR_MS;
  assert.equal(shown(), "2026-12-01T03:00:00Z");
});

test("the time of a sleep counts, though the monotonic clock stood still", () => {
  wall += 8 * HOUR_MS;
  assert.equal(shown(), "2026-12-01T10:00:00Z");
});

test("time does not go back when the device's clock is set back", () => {
  monotonic += HOUR_MS;
  wall -= HOUR_MS;
  assert.equal(shown(), "2026-12-01T03:00:00Z");
});

test("the next answer corrects the clock after the device's was set forward", () => {
  wall += 24 * HOUR_MS;
  syncFromHeader("Tue, 01 Dec 2026 02:00:10 GMT");
  assert.equal(shown(), "2026-12-01T02:00:10Z");
});
