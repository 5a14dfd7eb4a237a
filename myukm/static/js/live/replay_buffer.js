// What a page heard lately, so that it can tell a tab that comes later, or that missed something.

import { isReplayed } from "./event_types.js";

const MAX_EVENTS = 500;
const MOMENTARY = new Set(["chat.typing"]);

export class ReplayBuffer {
  /** `cursor` is the number of the last event before those that are kept, null when unknown. */
  constructor(cursor) {
    this.begin(cursor);
    this.states = new Map();
  }

  begin(cursor) {
    this.before = cursor;
    this.events = [];
  }

  add(event) {
    if (isReplayed(event)) this.push(event);
    else if (!MOMENTARY.has(event.type)) this.states.set(keyOf(event), event);
  }

  push(event) {
    this.before ??= event.seq - 1;
    this.events.push(event);
    if (this.events.length > MAX_EVENTS) this.before = this.events.shift().seq;
  }

  /** The events after `cursor`, null when they are not all here. */
  since(cursor) {
    if (cursor === null) return [];
    if (this.before === null || cursor < this.before) return null;
    return this.events.filter(({ seq }) => seq > cursor);
  }

  /** How things stand, as far as events told. */
  now() {
    return [...this.states.values()];
  }

  /** A fresh connection tells it anew. */
  forgetStates() {
    this.states.clear();
  }
}

function keyOf({ type, data }) {
  return [type, data.ukm, data.user_id].join(" ");
}
