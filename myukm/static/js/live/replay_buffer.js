// The latest events of the stream, for tabs that open later or missed events.

import { isReplayed } from "./event_types.js";

const MAX_EVENTS = 500;
/** Types whose latest event is out of date when a tab opens later. */
const NOT_KEPT = new Set(["chat.typing"]);

export class ReplayBuffer {
  /** `cursor` is the number of the last event before the buffer's first event, null when
   * unknown. */
  constructor(cursor) {
    this.begin(cursor);
    this.states = new Map();
  }

  /** Starts afresh after `cursor`. */
  begin(cursor) {
    this.before = cursor;
    this.events = [];
  }

  add(event) {
    if (isReplayed(event)) this.push(event);
    else if (!NOT_KEPT.has(event.type)) this.states.set(keyOf(event), stateOf(event));
  }

  push(event) {
    this.before ??= event.seq - 1;
    this.events.push(event);
    if (this.events.length > MAX_EVENTS) this.before = this.events.shift().seq;
  }

  /** The replayed events after `cursor`; null when the buffer lacks some of them. */
  since(cursor) {
    if (cursor === null) return [];
    if (this.before === null || cursor < this.before) return null;
    return this.events.filter(({ seq }) => seq > cursor);
  }

  /** The latest transient event of each kind. */
  latestStates() {
    return [...this.states.values()];
  }

  /** To be called when a connection opens, because it begins with a snapshot of all states. */
  clearStates() {
    this.states.clear();
  }
}

/** A transient event as a tab that opens later receives it: without the name of who has just asked to
 * join, because that was announced already. */
function stateOf(event) {
  const { asked, ...data } = event.data;
  return asked ? { ...event, data } : event;
}

function keyOf({ type, data }) {
  return [type, data.ukm, data.user_id, data.id].join(" ");
}
