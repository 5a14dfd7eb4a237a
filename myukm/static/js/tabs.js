// One connection for all tabs of an account in this browser. A web lock elects the tab that holds
// it; that tab passes on what it hears. A tab says from where it wants to go on ("hello") when it
// comes, when another tab takes over, and now and then while it is looked at; who gets no answer
// then takes over from a tab that the browser has put to sleep.

import { Source } from "./source.js";

const ASK_EVERY_MS = 20_000;
const PATIENCE_MS = 4000;

export const canShare = () => "locks" in navigator && "BroadcastChannel" in window;

export class Tabs {
  /** `page` hears as a `Source`'s listener does, and has `cursor`, `recent` and `lastState`. */
  constructor(name, page) {
    this.name = name;
    this.page = page;
    this.leads = false;
    this.id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.source = new Source({
      event: (event) => this.pass({ kind: "event", event }),
      reset: (data, seq) => this.pass({ kind: "reset", data, seq }),
      state: (state) => this.pass({ kind: "state", state }),
      get cursor() {
        return page.cursor;
      },
    });
    document.addEventListener("visibilitychange", () => this.ask());
    setInterval(() => this.ask(), ASK_EVERY_MS);
  }

  start() {
    this.joined = false;
    this.channel = new BroadcastChannel(this.name);
    this.channel.addEventListener("message", ({ data }) => this.hear(data));
    this.wait();
    this.hello();
  }

  stop() {
    this.leads = false;
    this.source.close();
    clearTimeout(this.patience);
    this.waiting.abort();
    this.release?.();
    this.channel.close();
  }

  /** Stands in line for the lock; the tab that has it when another leaves, leads. */
  wait() {
    const waiting = new AbortController();
    this.waiting = waiting;
    navigator.locks
      .request(this.name, { signal: waiting.signal }, () => this.lead())
      .catch(() => waiting.signal.aborted || this.stepDown());
  }

  takeOver() {
    this.waiting.abort();
    navigator.locks
      .request(this.name, { steal: true }, () => this.lead())
      .catch(() => this.stepDown());
  }

  lead() {
    this.leads = true;
    clearTimeout(this.patience);
    this.channel.postMessage({ kind: "leader" });
    this.source.open();
    return new Promise((release) => {
      this.release = release;
    });
  }

  /** Another tab took the lock while this one slept. */
  stepDown() {
    if (!this.leads) return;
    this.leads = false;
    this.source.close();
    this.wait();
    this.hello();
  }

  ask() {
    if (!document.hidden && !this.leads) this.hello();
  }

  hello() {
    this.channel.postMessage({ kind: "hello", from: this.id, cursor: this.page.cursor });
    clearTimeout(this.patience);
    this.patience = setTimeout(() => document.hidden || this.takeOver(), PATIENCE_MS);
  }

  /** What the leader hears, all hear. */
  pass(told) {
    this.channel.postMessage(told);
    this.take(told);
  }

  hear(told) {
    if (told.kind === "hello") {
      if (this.leads) this.welcome(told);
    } else if (told.kind === "leader") {
      this.joined = false;
      this.hello();
    } else if (told.kind === "welcome") {
      if (told.to === this.id && !this.leads) this.join(told);
    } else if (this.joined && !this.leads) this.take(told);
  }

  take({ kind, event, state, data, seq }) {
    if (kind === "event") this.page.event(event);
    else if (kind === "reset") this.page.reset(data, seq);
    else this.page.state(state);
    if (state === "lost") this.ask();
  }

  welcome({ from, cursor }) {
    const { recent, cursor: here, lastState: state } = this.page;
    const events = recent.since(cursor);
    this.channel.postMessage({
      kind: "welcome",
      to: from,
      state,
      cursor: here,
      events,
      states: recent.now(),
      hidden: document.hidden,
    });
  }

  join({ state, cursor, events, states, hidden }) {
    clearTimeout(this.patience);
    if (events === null) this.page.reset({ reason: "gap" }, cursor);
    else events.forEach((event) => this.page.event(event));
    this.page.goOnFrom(cursor);
    if (!this.joined) states.forEach((event) => this.page.event(event));
    this.joined = true;
    if (state !== this.page.lastState) this.page.state(state);
    // A browser lets a tab out of sight wait long before it may try again.
    if (state === "lost" && hidden && !document.hidden) this.takeOver();
  }
}
