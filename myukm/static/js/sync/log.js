import { cloneTemplate, fillSlots, setIcon } from "../core/dom.js";
import { clockSeconds, moment } from "../core/format.js";

const MAX_LINES = 500;
const TONES = { error: "bad", warning: "wait", success: "good", info: "neutral" };

const keyOf = ({ at, idperson, code, message }) => JSON.stringify([at, idperson, code, message]);

/** The run's activity, newest first. */
export class SyncLog {
  constructor(list) {
    this.list = list;
    this.empty = document.getElementById("log-empty");
    this.arriving = null;
  }

  /** Switches to the run with the id `run` and drops the lines of the previous run. */
  follow(run) {
    if (run === this.run) return;
    this.run = run;
    this.list.replaceChildren();
    this.empty.hidden = false;
  }

  /** Adds the entries that came with the page, oldest first. */
  load(entries) {
    for (const entry of entries) this.add(entry);
  }

  /** Replaces the entries by those that `fetchEntries` resolves to; entries that the stream adds
   * meanwhile stay. Rejects with the error of `fetchEntries`. */
  async reload(fetchEntries) {
    const arriving = [];
    this.arriving = arriving;
    const entries = await fetchEntries();
    if (this.arriving !== arriving) return; // the next reload has begun
    this.arriving = null;
    const known = new Set(entries.map(keyOf));
    this.list.replaceChildren();
    this.load([...entries, ...arriving.filter((entry) => !known.has(keyOf(entry)))]);
  }

  add(entry) {
    this.arriving?.push(entry);
    this.follow(entry.run_id);
    this.list.prepend(line(entry));
    if (this.list.children.length > MAX_LINES) this.list.lastElementChild.remove();
    this.empty.hidden = true;
  }
}

function line({ at, level, idperson, code, message }) {
  const item = fillSlots(cloneTemplate("log-line"), { message, time: clockSeconds(at), code });
  const tone = TONES[level] ?? "neutral";
  const time = item.querySelector("time");
  time.dateTime = at;
  time.title = moment(at);
  item.classList.add(`tone-${tone}`);
  setIcon(item, tone);
  const link = item.querySelector("a");
  if (idperson) {
    link.textContent = idperson;
    link.href += `/${encodeURIComponent(idperson)}`;
  } else link.remove();
  return item;
}
