// One connection for all tabs of an account in this browser. A web lock elects the leader, the tab
// that holds the connection; it broadcasts every event to the others. A tab announces itself with its
// cursor ("hello") when it opens, when the leader changes, and regularly while it is visible. The
// leader answers with what the tab missed ("welcome"). If it does not answer, the browser has put it to
// sleep, and the tab takes over.

import { SseConnection } from "./sse_connection.js";

const ASK_EVERY_MS = 20_000;
const LEADER_TIMEOUT_MS = 4000;

export const canShare = () => "locks" in navigator && "BroadcastChannel" in window;

export class SharedConnection {
  /** `page` has the methods of SseConnection's `to`, `goOnFrom`, and `cursor`, `recent`, `lastState`. */
  constructor(name, page) {
    this.name = name;
    this.page = page;
    this.isLeader = false;
    this.id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.source = new SseConnection({
      event: (event) => this.broadcast({ kind: "event", event }),
      reset: (data, seq) => this.broadcast({ kind: "reset", data, seq }),
      state: (state) => this.broadcast({ kind: "state", state }),
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
    this.channel.addEventListener("message", ({ data }) => this.onMessage(data));
    this.wait();
    this.announce();
  }

  stop() {
    this.isLeader = false;
    this.source.close();
    clearTimeout(this.leaderTimer);
    this.waiting.abort();
    this.release?.();
    this.channel?.close();
    this.channel = null;
  }

  /** Queues for the lock: when the leader closes, the first tab in the queue becomes leader. */
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
    if (!this.channel) return; // stopped meanwhile
    this.isLeader = true;
    clearTimeout(this.leaderTimer);
    this.channel.postMessage({ kind: "leader" });
    this.source.open();
    return new Promise((release) => {
      this.release = release;
    });
  }

  /** Another tab stole the lock while this one slept. */
  stepDown() {
    if (!this.isLeader) return;
    this.isLeader = false;
    this.source.close();
    this.wait();
    this.announce();
  }

  ask() {
    if (this.channel && !document.hidden && !this.isLeader) this.announce();
  }

  announce() {
    this.channel.postMessage({ kind: "hello", from: this.id, cursor: this.page.cursor });
    clearTimeout(this.leaderTimer);
    this.leaderTimer = setTimeout(() => document.hidden || this.takeOver(), LEADER_TIMEOUT_MS);
  }

  /** As leader: passes a message to all tabs, this one included. */
  broadcast(message) {
    this.channel.postMessage(message);
    this.deliver(message);
    if (!this.hasUnanswered || this.page.cursor === null) return;
    this.hasUnanswered = false;
    this.channel.postMessage({ kind: "leader" });
  }

  onMessage(message) {
    if (message.kind === "hello") {
      if (this.isLeader) this.sendBacklog(message);
    } else if (message.kind === "leader") {
      this.joined = false;
      this.announce();
    } else if (message.kind === "welcome") {
      if (message.to === this.id && !this.isLeader) this.join(message);
    } else if (this.joined && !this.isLeader) this.deliver(message);
  }

  deliver({ kind, event, state, data, seq }) {
    if (kind === "event") this.page.event(event);
    else if (kind === "reset") this.page.reset(data, seq);
    else this.page.state(state);
    if (state === "lost") this.ask();
  }

  /** As leader: answers a tab with what it missed since its cursor. A leader whose page has no cursor
   * yet can not know that, and lets the tabs ask again once the stream has brought one. States from
   * before a loss may be older than what the tab shows. */
  sendBacklog({ from, cursor }) {
    const { recent, cursor: here, lastState: state } = this.page;
    if (here === null && cursor !== null) {
      this.hasUnanswered = true;
      return;
    }
    const events = recent.since(cursor);
    this.channel.postMessage({
      kind: "welcome",
      to: from,
      state,
      cursor: here,
      events,
      states: state === "open" ? recent.latestStates() : [],
      hidden: document.hidden,
    });
  }

  join({ state, cursor, events, states, hidden }) {
    clearTimeout(this.leaderTimer);
    if (events === null) this.page.reset({ reason: "gap" }, cursor);
    else for (const event of events) this.page.event(event);
    this.page.goOnFrom(cursor);
    if (!this.joined || events === null) for (const event of states) this.page.event(event);
    this.joined = true;
    if (state !== this.page.lastState) this.page.state(state);
    // Browsers delay the timers of hidden tabs, so a hidden leader may reconnect late.
    if (state === "lost" && hidden && !document.hidden) this.takeOver();
  }
}
