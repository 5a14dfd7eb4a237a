import assert from "node:assert/strict";
import test from "node:test";
import * as format from "../../myukm/static/js/core/format.js";
import { makePage } from "./page.js";

const NOON = "2026-11-29T05:00:00Z"; // 12:00 in Jakarta
const LATE = "2026-11-29T17:30:00Z"; // the next day there

makePage({
  dataset: { now: NOON },
  strings: {
    seconds_left: "sekitar {n} detik lagi",
    minutes_left: "sekitar {n} menit lagi",
    hours_left: "sekitar {n} jam lagi",
  },
});

test("numbers are written as in Indonesian", () => {
  assert.equal(format.number(1234567), "1.234.567");
  assert.equal(format.decimal(3.16), "3,2");
  assert.equal(format.decimal(212.4), "212");
  assert.equal(format.percent(3.27), "3,27%");
  assert.equal(format.percent(100), "100%");
});

test("sizes are short, with a unit that fits", () => {
  const sizes = [6, 51, 1000, 3200, 320_300, 1_400_000, 20_000_000, 5e9].map(format.size);
  const words = ["6 B", "51 B", "1 kB", "3,2 kB", "320 kB", "1,4 MB", "20 MB", "5 GB"];
  assert.deepEqual(sizes, words);
});

test("times are those of the campus", () => {
  assert.equal(format.clock(NOON), "12.00");
  assert.equal(format.dayOf(LATE), "2026-11-30");
  assert.equal(format.dayOf(NOON), "2026-11-29");
});

test("a day of another year has its year", () => {
  assert.equal(format.day(NOON), "Minggu, 29 November");
  assert.equal(format.day("2025-11-29T05:00:00Z"), "Sabtu, 29 November 2025");
});

test("a moment of today has no date", () => {
  assert.equal(format.when(NOON), "12.00");
  assert.match(format.when(LATE), /30 Nov 2026/);
});

test("the remaining time is a range unless both ends read the same", () => {
  assert.equal(format.left([10, 25]), "sekitar 10–25 detik lagi");
  assert.equal(format.left([150, 154]), "sekitar 3 menit lagi");
  assert.equal(format.left([0, 0]), "sekitar 1 detik lagi");
  assert.equal(format.left([5400, 9000]), "sekitar 1,5–2,5 jam lagi");
  assert.equal(format.left([2400, 5400]), "sekitar 0,7–1,5 jam lagi");
});

test("past times are given in the largest unit that fits", () => {
  const before = (seconds) => new Date(Date.parse(NOON) - seconds * 1000).toISOString();
  assert.equal(format.ago(before(125)), "2 menit yang lalu");
  assert.equal(format.ago(before(7300)), "2 jam yang lalu");
  assert.match(format.ago(before(8 * 86400)), /21 Nov 2026/);
  assert.equal(format.ago(before(35 * 3600)), "kemarin");
  assert.equal(format.ago(before(37 * 3600)), "kemarin dulu");
  assert.equal(format.ago(before(3 * 86400)), "3 hari yang lalu");
  assert.equal(format.ago(before(-37 * 3600)), "lusa");
});

test("durations choose their unit", () => {
  assert.match(format.span(0.0134), /^13\s/);
  assert.match(format.span(89), /^89\s/);
  assert.match(format.span(180), /^3\s/);
  assert.match(format.span(7200), /^2\s/);
});
