// The speed and the failures of a run over time: two lines, and the same numbers as a table.

import { niceCeiling } from "../core/chart_scale.js";
import { now } from "../core/clock.js";
import { decimal, number } from "../core/format.js";

const WIDTH = 600;
const HEIGHT = 160;
const MAX_POINTS = 240;
const MAX_ROWS = 12;

/** The points; of more than `MAX_POINTS` only every second point and all gaps. */
export function thinned(points) {
  if (points.length <= MAX_POINTS) return points;
  return points.filter(([, rate], index) => rate === null || index % 2 === 0);
}

/** The parts of a line between its gaps, which are points without a value in `column`. */
export function segments(points, column) {
  const parts = [[]];
  for (const point of points) {
    if (point[column] === null) parts.push([]);
    else parts.at(-1).push(point);
  }
  return parts.filter((part) => part.length > 0);
}

/** The points (x, y from below) as the coordinates of a path. */
function path(points) {
  return points.map(([x, y]) => `${x.toFixed(1)} ${(HEIGHT - y).toFixed(1)}`).join("L");
}

/** The path of a part from the bottom line up and back to it. */
function areaPath(points) {
  const [[first], [last]] = [points[0], points.at(-1)];
  return `M${first.toFixed(1)} ${HEIGHT}L${path(points)}L${last.toFixed(1)} ${HEIGHT}Z`;
}

export class SpeedChart {
  /** `chartData` is the recorded part of a run: its id and points [seconds, speed, failing]. */
  constructor(figure, chartData) {
    this.figure = figure;
    this.parts = Object.fromEntries(
      ["line", "area", "failing"].map((name) => [name, figure.querySelector(`[data-${name}]`)]),
    );
    this.rows = figure.querySelector("tbody");
    this.run = chartData.run;
    this.points = chartData.points;
    this.draw();
  }

  /** Adds a gap until `seconds` after the run's start, because the run has no speed. */
  addGap(run, seconds) {
    this.follow(run);
    this.counted = null;
    const last = this.points.at(-1);
    if (!last || seconds <= last[0]) return;
    if (last[1] === null) last[0] = seconds;
    else this.points = [...this.points, [seconds, null, null]];
    this.draw();
  }

  /** Adds the speed (students/s) and the number of failed students at `seconds` after the run's
   * start, at most once a second. */
  addPoint(run, seconds, rate, failed) {
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

  /** Switches to the run with the id `run` and drops the points of the previous run. */
  follow(run) {
    if (run === this.run) return;
    this.run = run;
    this.points = [];
    this.counted = null;
    this.draw();
  }

  draw() {
    const isEmpty = this.points.filter(([, rate]) => rate !== null).length < 2;
    this.figure.dataset.empty = isEmpty;
    if (isEmpty) return;
    const end = this.points.at(-1)[0] || 1;
    const top = niceCeiling(Math.max(...this.points.map(([, ...values]) => Math.max(...values))));
    const coordinates = (column) =>
      segments(this.points, column).map((part) =>
        part.map((point) => [(point[0] / end) * WIDTH, (point[column] / top) * HEIGHT]),
      );
    const draw = (name, column, shape) =>
      this.parts[name].setAttribute("d", coordinates(column).map(shape).join(""));
    draw("line", 1, (part) => `M${path(part)}`);
    draw("area", 1, areaPath);
    draw("failing", 2, (part) => `M${path(part)}`);
    this.label(top, end);
  }

  label(top, end) {
    for (const mark of this.figure.querySelectorAll("[data-share]")) {
      mark.textContent = number(top * Number(mark.dataset.share));
    }
    this.figure.querySelector("[data-end]").textContent = number(end);
    const step = Math.ceil(this.points.length / MAX_ROWS);
    const shown = this.points.filter((_, index) => index % step === 0);
    const value = (each) => (each === null ? "–" : decimal(each));
    const cells = ([at, rate, failing]) => [number(at), value(rate), value(failing)];
    this.rows.replaceChildren(...shown.map((point) => row(...cells(point))));
  }
}

function row(...cells) {
  const line = document.createElement("tr");
  for (const text of cells) line.insertCell().textContent = text;
  return line;
}

/** Adds a progress object to the chart; while a live run has no speed it has a gap. */
export function plot(chart, progress) {
  const { run_id: run, rate_per_second: rate, finished_at: end, failed } = progress;
  if (rate === null && (end || !run)) return chart.follow(run);
  const until = end ? Date.parse(end) : now();
  const seconds = Math.max(0, (until - Date.parse(progress.started_at)) / 1000);
  if (rate === null) chart.addGap(run, seconds);
  else chart.addPoint(run, seconds, rate, failed);
}
