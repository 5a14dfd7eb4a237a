// The history of the queues as columns: `at` and, for each queue, columns of the same length.

/** Two points that are more steps apart than this have a gap between them. */
const GAP_STEPS = 1.5;

/** Whether points between the end of the series and `news` are missing. */
export function hasGapBefore(series, news) {
  const [last, next] = [series.at.at(-1), news.at[0]];
  return (
    Boolean(last && next) && Date.parse(next) - Date.parse(last) > GAP_STEPS * series.step * 1000
  );
}

/** The series with the points and runs of `news`, without points and runs older than its range. */
export function extended(series, news) {
  const span = Date.parse(series.to) - Date.parse(series.from);
  const last = series.at.at(-1);
  const isNew = news.at.length > 0 && (last === undefined || news.at[0] > last);
  const from = new Date(Date.parse(news.to) - span).toISOString();
  const joined = {
    ...series,
    from,
    to: news.to,
    at: isNew ? [...series.at, ...news.at] : series.at,
    queues: isNew ? withColumns(series.queues, news.queues) : series.queues,
    starts: isNew ? [...series.starts, ...news.starts] : series.starts,
    runs: withRuns(series.runs, news.runs),
  };
  return without(joined, from);
}

function withColumns(queues, news) {
  return mapColumns(queues, (column, queue, name) => [
    ...column,
    ...(news[queue]?.[name] ?? [null]),
  ]);
}

function mapColumns(queues, change) {
  const entries = Object.entries(queues).map(([queue, columns]) => [
    queue,
    Object.fromEntries(
      Object.entries(columns).map(([name, column]) => [name, change(column, queue, name)]),
    ),
  ]);
  return Object.fromEntries(entries);
}

function withRuns(runs, news) {
  const changed = new Map([...runs, ...news].map((run) => [run.run_id, run]));
  return [...changed.values()];
}

function without(series, from) {
  const begin = Date.parse(from);
  const isIn = (iso) => iso === null || Date.parse(iso) > begin;
  const first = series.at.findIndex(isIn);
  const skip = first < 0 ? series.at.length : first;
  return {
    ...series,
    at: series.at.slice(skip),
    queues: mapColumns(series.queues, (column) => column.slice(skip)),
    starts: series.starts.filter(({ at }) => isIn(at)),
    runs: series.runs.filter(({ finished_at }) => isIn(finished_at)),
  };
}

/** The parts of a column between its gaps, as [milliseconds, value]: a gap is where nothing was
 * measured, or where no job has a value. */
export function parts(series, column) {
  const found = [[]];
  let before = null;
  for (const [index, iso] of series.at.entries()) {
    const [at, value] = [Date.parse(iso), column[index]];
    const isGap = before !== null && at - before > GAP_STEPS * series.step * 1000;
    if (isGap || value === null) found.push([]);
    if (value !== null) found.at(-1).push([at, value]);
    before = at;
  }
  return found.filter((part) => part.length > 0);
}

/** The points of a queue as rows, the newest first. */
export function rows(series, queue) {
  const columns = Object.entries(series.queues[queue]);
  return series.at
    .map((at, index) => ({
      at,
      ...Object.fromEntries(columns.map(([name, column]) => [name, column[index]])),
    }))
    .reverse();
}

/** Runs and starts of processes in one list, the newest first; `end` is null for a live run. */
export function events(series) {
  const runs = series.runs.map((run) => ({
    kind: "run",
    begin: run.started_at,
    end: run.finished_at,
    run: run.run_id,
  }));
  const starts = series.starts.map(({ at, role, count }) => ({
    kind: "start",
    begin: at,
    role,
    count,
  }));
  return [...runs, ...starts].sort((a, b) => b.begin.localeCompare(a.begin));
}
