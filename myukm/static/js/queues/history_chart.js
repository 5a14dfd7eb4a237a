// One chart of the history: a line for each queue, bands for the sync's runs, marks for starts.

import { niceCeiling } from "../core/chart_scale.js";
import { clock, decimal, number, span, when } from "../core/format.js";
import { parts } from "./history_series.js";

const WIDTH = 600;
const HEIGHT = 100;
const FORMATS = { number, decimal, span };
/** Times are scaled in milliseconds, because many jobs wait for less than a second. */
const UNITS = { span: 0.001 };

/** Draws the column `data-column` of the series into a figure, with numbers in its `data-format`. */
export function draw(figure, series) {
  const [begin, end] = [Date.parse(series.from), Date.parse(series.to)];
  const x = (at) => Math.min(WIDTH, Math.max(0, ((at - begin) / (end - begin)) * WIDTH)).toFixed(1);
  const lines = [...figure.querySelectorAll("[data-queue]")].map((line) => [
    line,
    series.queues[line.dataset.queue][figure.dataset.column],
  ]);
  const top = scaleOf(
    figure,
    lines.flatMap(([, column]) => column),
  );
  const y = (value) => (HEIGHT - (value / top) * HEIGHT).toFixed(1);
  for (const [line, column] of lines) {
    line.setAttribute(
      "d",
      parts(series, column)
        .map((part) => path(part, x, y))
        .join(""),
    );
  }
  drawMarks(figure, series, x, end);
  label(figure, series, top);
}

function scaleOf(figure, values) {
  const unit = UNITS[figure.dataset.format] ?? 1;
  return niceCeiling(values.reduce((most, value) => Math.max(most, value ?? 0), 0) / unit) * unit;
}

/** A single point becomes a line of length 0, whose round ends show as a dot. */
function path(part, x, y) {
  const spots = part.map(([at, value]) => `${x(at)} ${y(value)}`);
  return `M${(spots.length > 1 ? spots : [spots[0], spots[0]]).join("L")}`;
}

function drawMarks(figure, { runs, starts }, x, end) {
  const band = ({ started_at, finished_at }) => {
    const [left, right] = [
      x(Date.parse(started_at)),
      x(finished_at ? Date.parse(finished_at) : end),
    ];
    return `M${left} 0H${Math.max(right, Number(left) + 1)}V${HEIGHT}H${left}Z`;
  };
  figure.querySelector("[data-runs]").setAttribute("d", runs.map(band).join(""));
  const mark = ({ at }) => `M${x(Date.parse(at))} 0V${HEIGHT}`;
  figure.querySelector("[data-starts]").setAttribute("d", starts.map(mark).join(""));
}

function label(figure, { from, to, step }, top) {
  const format = FORMATS[figure.dataset.format];
  for (const mark of figure.querySelectorAll("[data-share]")) {
    const value = top * Number(mark.dataset.share);
    // A scale of whole numbers shows no half job.
    mark.textContent = format === number && !Number.isInteger(value) ? "" : format(value);
  }
  const time = step < 300 ? clock : when;
  figure.querySelector("[data-from]").textContent = time(from);
  figure.querySelector("[data-to]").textContent = time(to);
}
