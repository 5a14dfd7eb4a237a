// The connection, with a fake EventSource: which events keep it open, and what silence leads to.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { SILENCE_MS, SseConnection } from "../../myukm/static/js/live/sse_connection.js";
import { makePage } from "./page.js";

let opened;
let states;

class FakeSource extends EventTarget {
  constructor(url) {
    super();
    Object.assign(this, { url, closed: false });
    opened.push(this);
  }

  say(type, data = {}, lastEventId = "") {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data), lastEventId }));
  }

  close() {
    this.closed = true;
  }
}

function connect() {
  const to = { cursor: 3, event: () => {}, reset: () => {}, state: (name) => states.push(name) };
  new SseConnection(to).open();
}

beforeEach(() => {
  makePage();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.EventSource = FakeSource;
  globalThis.addEventListener = () => {};
  opened = [];
  states = [];
});

test("any event, also a heartbeat, restarts the 30 s of allowed silence", () => {
  connect();
  opened[0].say("open");
  for (const type of ["heartbeat", "chat.message", "sync.progress", "heartbeat"]) {
    mock.timers.tick(SILENCE_MS - 1);
    opened[0].say(type, {}, "4");
  }
  mock.timers.tick(SILENCE_MS - 1);
  assert.deepEqual(states, ["open"]);
  assert.equal(opened.length, 1);
});

test("once Valkey is back, a new connection brings the states whose events were lost", () => {
  connect();
  opened[0].say("open");
  opened[0].say("heartbeat", { degraded: false });
  opened[0].say("heartbeat", { degraded: true });
  opened[0].say("heartbeat", { degraded: true });
  assert.deepEqual(states, ["open"]);
  opened[0].say("heartbeat", { degraded: false });
  assert.deepEqual(states, ["open", "lost"]);
  mock.timers.tick(500);
  assert.equal(opened.length, 2);
  opened[1].say("open");
  opened[1].say("heartbeat", { degraded: false });
  assert.deepEqual(states, ["open", "lost", "open"]);
});

test("after 30 s of silence the page is notified, and a new connection goes on from the cursor", () => {
  connect();
  opened[0].say("open");
  mock.timers.tick(SILENCE_MS);
  assert.deepEqual(states, ["open", "lost"]);
  assert.ok(opened[0].closed);
  mock.timers.tick(500);
  assert.equal(opened.length, 2);
  assert.match(opened[1].url, /cursor=3/);
  opened[1].say("open");
  assert.deepEqual(states, ["open", "lost", "open"]);
});

test("a server that accepts and never answers is tried again after growing pauses", () => {
  connect();
  for (let failures = 0; failures < 4; failures += 1) {
    mock.timers.tick(SILENCE_MS);
    assert.equal(opened.length, failures + 1);
    mock.timers.tick(500 * 2 ** failures);
    assert.equal(opened.length, failures + 2);
  }
  assert.deepEqual(states, ["lost", "lost", "lost", "lost"]);
});

test("a server that cuts each connection after its first heartbeat is tried ever more rarely", () => {
  connect();
  for (let failures = 0; failures < 4; failures += 1) {
    opened.at(-1).say("open");
    opened.at(-1).say("heartbeat");
    opened.at(-1).dispatchEvent(new Event("error"));
    mock.timers.tick(500 * 2 ** failures - 1);
    assert.ok(opened.length <= failures + 2);
    mock.timers.tick(1);
    assert.equal(opened.length, failures + 2);
  }
});

test("after a silence while requests are answered, the first heartbeat is waited for ten seconds", async () => {
  globalThis.fetch = async () => ({ status: 200 });
  connect();
  mock.timers.tick(SILENCE_MS);
  await new Promise(setImmediate);
  mock.timers.tick(500);
  mock.timers.tick(9_999);
  assert.equal(opened[1].closed, false);
  mock.timers.tick(1);
  assert.ok(opened[1].closed);
});

test("ten seconds also apply to a connection that is open before the request is answered", async () => {
  let answer;
  globalThis.fetch = () => new Promise((resolve) => (answer = resolve));
  connect();
  mock.timers.tick(SILENCE_MS);
  mock.timers.tick(500);
  answer({ status: 200 });
  await new Promise(setImmediate);
  mock.timers.tick(9_999);
  assert.equal(opened[1].closed, false);
  mock.timers.tick(1);
  assert.ok(opened[1].closed);
});

test("after that heartbeat, 30 s of silence are allowed again", async () => {
  globalThis.fetch = async () => ({ status: 200 });
  connect();
  mock.timers.tick(SILENCE_MS);
  await new Promise(setImmediate);
  mock.timers.tick(500);
  opened[1].say("heartbeat");
  mock.timers.tick(SILENCE_MS - 1);
  assert.equal(opened[1].closed, false);
});

test("after a loss the page reconnects within the time that the server named", () => {
  mock.method(Math, "random", () => 0.9);
  connect();
  opened[0].say("heartbeat", { spread_ms: 10_000 });
  mock.timers.tick(SILENCE_MS);
  mock.timers.tick(8_999);
  assert.equal(opened.length, 1);
  mock.timers.tick(1);
  assert.equal(opened.length, 2);
});
