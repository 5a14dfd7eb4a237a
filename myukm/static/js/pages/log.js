// The page of the log: the newest lines first; a button adds new lines as they are written.

import * as api from "../core/api.js";
import { now } from "../core/clock.js";
import { cloneTemplate, data, fillSlots, setIcon, setText } from "../core/dom.js";
import { clockSeconds, dayOf, moment, when } from "../core/format.js";
import { t } from "../core/i18n.js";

/** The pause between a response and the next request. */
const PAUSE_MS = 2000;
const MAX_LINES = 500;
const TONES = { CRITICAL: "bad", ERROR: "bad", WARNING: "wait", INFO: "neutral" };
const FIELDS = ["host", "pid", "logger", "request_id", "account", "job", "run"];
/** The parameter of the address that shows all lines with the same value. */
const FILTERS = { request_id: "request", run: "run" };

const part = (id) => document.getElementById(id);
let cursor = "";
let following = false;
/** Whether lines are missing between those that are shown: too many came at once. */
let hasGap = false;
let isLoading = false;
let timer = null;

export default function startLog() {
  show(data("log"));
  const button = part("log-follow");
  button.hidden = false;
  button.addEventListener("click", () => setFollowing(!following));
  document.addEventListener("visibilitychange", () => {
    if (following && !document.hidden) poll();
  });
}

function setFollowing(value) {
  following = value;
  hasGap = false;
  const button = part("log-follow");
  setIcon(button, value ? "pause" : "play");
  fillSlots(button, { label: t(value ? "following" : "follow") });
  showState(value ? t("follow_state") : "");
  if (value) poll();
}

/** Only one request at a time: two with the same cursor would bring the same lines twice. */
async function poll() {
  if (isLoading || !following || document.hidden) return;
  clearTimeout(timer);
  isLoading = true;
  const state = await loadNewLines();
  isLoading = false;
  if (following) showState(state);
  timer = setTimeout(poll, PAUSE_MS);
}

/** Loads and shows the lines after `cursor`; returns the text for the state line. */
async function loadNewLines() {
  try {
    const query = new URLSearchParams(location.search);
    query.set("after", cursor);
    const found = await api.get(`/admin/log?${query}`);
    show(found);
    hasGap ||= found.skipped;
    return t(hasGap ? "skipped" : "follow_state");
  } catch (error) {
    return error.message;
  }
}

function showState(text) {
  setText(part("log-state"), text);
}

function show(found) {
  cursor = found.cursor;
  const list = part("log-lines");
  list.prepend(...found.lines.map(lineOf));
  while (list.children.length > MAX_LINES) list.lastElementChild.remove();
  part("log-empty").hidden = list.children.length > 0;
}

function lineOf(line) {
  const { at, level, process, message, trace } = line;
  const item = fillSlots(cloneTemplate("log-line"), {
    time: dayOf(at) === dayOf(now()) ? clockSeconds(at) : when(at),
    level,
    process,
    message,
    trace,
  });
  const time = item.querySelector("time");
  time.dateTime = at;
  time.title = moment(at);
  const tone = TONES[level] ?? "neutral";
  const badge = item.querySelector("[data-level]");
  badge.classList.add(`tone-${tone}`);
  setIcon(badge, tone);
  if (!trace) item.querySelector("pre").remove();
  item.querySelector("[data-fields]").append(...FIELDS.flatMap((name) => field(name, line[name])));
  return item;
}

function field(name, value) {
  if (value === undefined) return [];
  const [term, text] = ["dt", "dd"].map((tag) => document.createElement(tag));
  term.textContent = t(name);
  if (FILTERS[name]) {
    const link = document.createElement("a");
    link.href = `/admin/log?${FILTERS[name]}=${encodeURIComponent(value)}`;
    link.textContent = value;
    text.append(link);
  } else text.textContent = value;
  return [term, text];
}
