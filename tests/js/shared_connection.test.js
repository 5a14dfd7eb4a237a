// The leading tab's answers to other tabs, with a fake channel.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { ReplayBuffer } from "../../myukm/static/js/live/replay_buffer.js";
import { SharedConnection } from "../../myukm/static/js/live/shared_connection.js";
import { makePage } from "./page.js";

const PRESENCE = { type: "presence", seq: null, data: { ukm: "ROBOTIK", user_id: 1 } };

let posted;
let shown;

/** A leading tab whose page has this cursor. */
function tab(cursor, lastState = "open") {
  const stream = {
    cursor,
    lastState,
    replayBuffer: new ReplayBuffer(cursor),
    event: (event) => shown.push(event.type),
    reset: () => shown.push("reset"),
    state: (name) => shown.push(name),
    startFrom(seq) {
      this.cursor ??= seq;
    },
  };
  const connection = new SharedConnection("stream:7", stream);
  connection.channel = { postMessage: (message) => posted.push(message) };
  connection.isLeader = true;
  return connection;
}

beforeEach(() => {
  makePage();
  Object.assign(globalThis.document, { addEventListener: () => {} });
  globalThis.addEventListener = () => {};
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  [posted, shown] = [[], []];
});

test("a leader without a cursor answers no tab that has one, and announces itself again with its cursor", () => {
  const leader = tab(null);
  leader.sendBacklog({ from: "tab", cursor: 5 });
  assert.deepEqual(posted, []);
  leader.stream.cursor = 6;
  leader.broadcast({ kind: "state", state: "open" });
  leader.broadcast({ kind: "state", state: "open" });
  assert.deepEqual(
    posted.map(({ kind }) => kind),
    ["state", "leader", "state"],
  );
});

test("a tab without a cursor has missed nothing, and is answered at once", () => {
  tab(null).sendBacklog({ from: "tab", cursor: null });
  assert.deepEqual(posted[0].events, []);
});

test("states received before the connection was lost are not sent to a tab that opens later", () => {
  for (const [state, count] of [
    ["open", 1],
    ["lost", 0],
  ]) {
    const leader = tab(5, state);
    leader.stream.replayBuffer.add(PRESENCE);
    leader.sendBacklog({ from: "tab", cursor: 5 });
    assert.equal(posted.at(-1).states.length, count, state);
  }
});

test("after a gap a tab receives the states again, because its reset dropped them", () => {
  const follower = tab(5);
  Object.assign(follower, { isLeader: false, joined: true });
  const welcome = { state: "open", cursor: 9, states: [PRESENCE], hidden: false };
  follower.join({ ...welcome, events: [] });
  assert.deepEqual(shown, []);
  follower.join({ ...welcome, events: null });
  assert.deepEqual(shown, ["reset", "presence"]);
});

test("a tab that was closed while it waited for the lock does not become leader", () => {
  const closed = tab(5);
  Object.assign(closed, { channel: null, isLeader: false });
  closed.lead();
  assert.equal(closed.isLeader, false);
});
