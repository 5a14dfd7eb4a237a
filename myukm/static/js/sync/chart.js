// The speed and the failures of a run over time: two lines, and the same numbers as a table.

import { now } from "../core/clock.js";
import { decimal, number } from "../core/format.js";

const WIDTH = 600;
const HEIGHT = 160;
const MAX_POINTS = 240;
const ROWS = 12;

const ROUND_STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The smallest round number (1, 1.5, 2 … × 10ⁿ) that is not below `value`. */
export function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return ROUND_STEPS.map((step) => step * power).find((step) => step >= value);
}

/** Every second point once there are too many, so that a long run keeps its shape. */
export function thinned(points) {
  return points.length > MAX_POINTS ? points.filter((_, index) => index % 2 === 0) : points;
}

/** The points (x, y from below) as the coordinates of a path. */
function path(points) {
  return points.map(([x, y]) => `${x.toFixed(1)} ${(HEIGHT - y).toFixed(1)}`).join("L");
}

export class SpeedChart {
  /** `course` is the recorded part of a run: its id and points [seconds, speed, failing]. */
  constructor(figure, course) {
    this.figure = figure;
    this.parts = Object.fromEntries(
      ["line", "area", "failing"].map((name) => [name, figure.querySelector(`[data-${name}]`)]),
    );
    this.rows = figure.querySelector("tbody");
    this.run = course.run;
    this.points = course.points;
    this.draw();
  }

  /** Adds the speed (students/s) and the sum of failures at `seconds`, at most once a second. */
  add(run, seconds, rate, failed) {
    this.follow(run);
    const before = this.counted ?? { seconds, failed };
    const since = seconds - before.seconds;
    if (this.counted && since < 1) return;
    this.counted = { seconds, failed };
    if (seconds <= (this.points.at(-1)?.[0] ?? -1)) return;
    const failing = since ? Math.max(0, failed - before.failed) / since : 0;
    this.points = thinned([...this.points, [seconds, rate, failing]]);
    this.draw();
  }

  /** Switches to run `run` and drops the points of another one. */
  follow(run) {
    if (run === this.run) return;
    this.run = run;
    this.points = [];
    this.counted = null;
    this.draw();
  }

  draw() {
    this.figure.dataset.empty = this.points.length < 2;
    if (this.points.length < 2) return;
    const end = this.points.at(-1)[0] || 1;
    const top = niceCeiling(Math.max(...this.points.map(([, ...values]) => Math.max(...values))));
    const spots = (column) =>
      this.points.map((point) => [(point[0] / end) * WIDTH, (point[column] / top) * HEIGHT]);
    const line = path(spots(1));
    const [[start]] = spots(1);
    this.parts.line.setAttribute("d", `M${line}`);
    this.parts.area.setAttribute("d", `M${start.toFixed(1)} ${HEIGHT}L${line}L${WIDTH} ${HEIGHT}Z`);
    this.parts.failing.setAttribute("d", `M${path(spots(2))}`);
    this.label(top, end);
  }

  label(top, end) {
    for (const mark of this.figure.querySelectorAll("[data-share]")) {
      mark.textContent = number(top * Number(mark.dataset.share));
    }
    this.figure.querySelector("[data-end]").textContent = number(end);
    const step = Math.ceil(this.points.length / ROWS);
    const shown = this.points.filter((_, index) => index % step === 0);
    const cells = ([at, rate, failing]) => [number(at), decimal(rate), decimal(failing)];
    this.rows.replaceChildren(...shown.map((point) => row(...cells(point))));
  }
}

function row(...cells) {
  const line = document.createElement("tr");
  for (const text of cells) line.insertCell().textContent = text;
  return line;
}

/** Adds a progress object to the chart; without a speed it may only begin another run. */
export function plot(chart, progress) {
  if (progress.rate_per_second === null) {
    chart.follow(progress.run_id);
    return;
  }
  const until = progress.finished_at ? Date.parse(progress.finished_at) : now();
  const seconds = (until - Date.parse(progress.started_at)) / 1000;
  chart.add(progress.run_id, Math.max(0, seconds), progress.rate_per_second, progress.failed);
}
