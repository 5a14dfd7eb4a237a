// One connection for all tabs of an account in this browser. A web lock elects the leader, the tab
// that holds the connection; it broadcasts every event to the others. A tab announces itself with its
// cursor ("hello") when it opens, when the leader changes, and regularly while it is visible. The
// leader answers with the events that the tab missed ("welcome"). A leader that does not answer was
// suspended by the browser, and the tab takes over the lock.

import { SseConnection } from "./sse_connection.js";

const ANNOUNCE_EVERY_MS = 20_000;
const LEADER_TIMEOUT_MS = 4000;

export const canShare = () => "locks" in navigator && "BroadcastChannel" in window;

export class SharedConnection {
  /** `stream` is the object of events_bus.js. */
  constructor(name, stream) {
    this.name = name;
    this.stream = stream;
    this.isLeader = false;
    this.id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.source = new SseConnection({
      event: (event) => this.broadcast({ kind: "event", event }),
      reset: (data, seq) => this.broadcast({ kind: "reset", data, seq }),
      state: (state) => this.broadcast({ kind: "state", state }),
      get cursor() {
        return stream.cursor;
      },
    });
    document.addEventListener("visibilitychange", () => this.announceIfVisible());
    setInterval(() => this.announceIfVisible(), ANNOUNCE_EVERY_MS);
  }

  start() {
    this.joined = false;
    this.channel = new BroadcastChannel(this.name);
    this.channel.addEventListener("message", ({ data }) => this.onMessage(data));
    this.queueForLock();
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

  /** When the leader closes, the first tab in the queue becomes leader. */
  queueForLock() {
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
    this.queueForLock();
    this.announce();
  }

  announceIfVisible() {
    if (this.channel && !document.hidden && !this.isLeader) this.announce();
  }

  announce() {
    this.channel.postMessage({ kind: "hello", from: this.id, cursor: this.stream.cursor });
    clearTimeout(this.leaderTimer);
    this.leaderTimer = setTimeout(() => document.hidden || this.takeOver(), LEADER_TIMEOUT_MS);
  }

  /** As leader: passes a message to all tabs, this one included. */
  broadcast(message) {
    this.channel.postMessage(message);
    this.deliver(message);
    if (!this.hasUnanswered || this.stream.cursor === null) return;
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
    if (kind === "event") this.stream.event(event);
    else if (kind === "reset") this.stream.reset(data, seq);
    else this.stream.state(state);
    // The leader's answer says whether it is hidden; then this tab takes over (`join`).
    if (state === "lost") this.announceIfVisible();
  }

  /** As leader: answers a tab with the events that it missed since its cursor. A leader whose page
   * has no cursor yet cannot know them: it lets the tabs announce themselves again once the stream
   * has sent a cursor. The latest transient events (presence, unread counts) are sent only while
   * the connection is open, because after a loss they may be older than the tab's. */
  sendBacklog({ from, cursor }) {
    const { replayBuffer, cursor: here, lastState: state } = this.stream;
    if (here === null && cursor !== null) {
      this.hasUnanswered = true;
      return;
    }
    const events = replayBuffer.since(cursor);
    this.channel.postMessage({
      kind: "welcome",
      to: from,
      state,
      cursor: here,
      events,
      states: state === "open" ? replayBuffer.latestStates() : [],
      hidden: document.hidden,
    });
  }

  join({ state, cursor, events, states, hidden }) {
    clearTimeout(this.leaderTimer);
    if (events === null) this.stream.reset({ reason: "gap" }, cursor);
    else for (const event of events) this.stream.event(event);
    this.stream.startFrom(cursor);
    if (!this.joined || events === null) for (const event of states) this.stream.event(event);
    this.joined = true;
    if (state !== this.stream.lastState) this.stream.state(state);
    // Browsers delay the timers of hidden tabs, so a hidden leader may reconnect late.
    if (state === "lost" && hidden && !document.hidden) this.takeOver();
  }
}
