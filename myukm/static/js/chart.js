// Speed over the time of a run: one line, one area, and the same figures as a table.

import { decimal, number } from "./format.js";
import { keep, read, session } from "./storage.js";

const WIDTH = 600;
const HEIGHT = 160;
const MOST_POINTS = 240;
const ROWS = 12;

const ROUND = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The smallest round number (1, 1.5, 2 … × 10ⁿ) that is not below `value`. */
export function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return ROUND.map((step) => step * power).find((step) => step >= value);
}

/** Every second point, so that a long run fits and keeps its form. */
function thinned(points) {
  return points.length > MOST_POINTS ? points.filter((_, index) => index % 2 === 0) : points;
}

export class SpeedChart {
  constructor(figure) {
    this.figure = figure;
    this.line = figure.querySelector("[data-line]");
    this.area = figure.querySelector("[data-area]");
    this.rows = figure.querySelector("tbody");
    this.run = null;
    this.points = [];
  }

  /** Adds the speed (students per second) at `seconds` of run `run`; at most one point a second. */
  add(run, seconds, rate) {
    this.follow(run);
    const last = this.points.at(-1);
    if (last && seconds - last[0] < 1) return;
    this.points = thinned([...this.points, [Math.round(seconds), Math.round(rate * 10) / 10]]);
    keep(session, this.key, this.points);
    this.draw();
  }

  /** Shows run `run`, with what this tab saw of it before a reload. */
  follow(run) {
    if (run === this.run) return;
    this.run = run;
    this.points = read(session, this.key, []);
    this.draw();
  }

  get key() {
    return `speed:${this.run}`;
  }

  draw() {
    this.figure.dataset.empty = this.points.length < 2;
    if (this.points.length < 2) return;
    const end = this.points.at(-1)[0] || 1;
    const top = niceCeiling(Math.max(...this.points.map(([, rate]) => rate)));
    const spots = this.points.map(([at, rate]) => [
      (at / end) * WIDTH,
      HEIGHT - (rate / top) * HEIGHT,
    ]);
    const path = spots.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
    this.line.setAttribute("d", `M${path}`);
    this.area.setAttribute("d", `M${spots[0][0].toFixed(1)} ${HEIGHT}L${path}L${WIDTH} ${HEIGHT}Z`);
    this.label(top, end);
  }

  label(top, end) {
    for (const mark of this.figure.querySelectorAll("[data-share]")) {
      mark.textContent = number(top * Number(mark.dataset.share));
    }
    this.figure.querySelector("[data-end]").textContent = number(end);
    const step = Math.ceil(this.points.length / ROWS);
    const shown = this.points.filter((_, index) => index % step === 0);
    this.rows.replaceChildren(...shown.map(([at, rate]) => row(number(at), decimal(rate))));
  }
}

function row(...cells) {
  const line = document.createElement("tr");
  for (const text of cells) line.insertCell().textContent = text;
  return line;
}
