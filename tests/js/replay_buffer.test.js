import assert from "node:assert/strict";
import test from "node:test";
import { ReplayBuffer } from "../../myukm/static/js/live/replay_buffer.js";

const message = (seq) => ({ type: "chat.message", seq, data: { id: seq } });
const presence = (user, status) => ({
  type: "presence",
  seq: null,
  data: { ukm: "ROBOTIK", user_id: user, status },
});
const seqs = (events) => events?.map(({ seq }) => seq) ?? null;

test("a tab gets the events after its cursor, in order", () => {
  const buffer = new ReplayBuffer(10);
  for (const seq of [11, 14, 15]) buffer.add(message(seq));
  assert.deepEqual(seqs(buffer.since(10)), [11, 14, 15]);
  assert.deepEqual(seqs(buffer.since(14)), [15]);
  assert.deepEqual(seqs(buffer.since(15)), []);
});

test("a cursor from before the buffer is a gap", () => {
  const buffer = new ReplayBuffer(10);
  buffer.add(message(11));
  assert.equal(buffer.since(9), null);
});

test("a tab without a cursor has missed nothing", () => {
  assert.deepEqual(new ReplayBuffer(10).since(null), []);
});

test("a buffer without a cursor lacks all events before the first one that it receives", () => {
  const buffer = new ReplayBuffer(null);
  assert.equal(buffer.since(5), null);
  buffer.add(message(6));
  assert.deepEqual(seqs(buffer.since(5)), [6]);
  assert.equal(buffer.since(4), null);
});

test("five hundred events are kept, and what went before them is a gap", () => {
  const buffer = new ReplayBuffer(0);
  for (let seq = 1; seq <= 502; seq += 1) buffer.add(message(seq));
  assert.equal(buffer.since(1), null);
  assert.equal(buffer.since(2).length, 500);
});

test("the latest state of each person is kept, but no typing", () => {
  const buffer = new ReplayBuffer(0);
  buffer.add(presence(1, "online"));
  buffer.add(presence(2, "online"));
  buffer.add(presence(1, "away"));
  buffer.add({ type: "chat.typing", seq: null, data: { ukm: "ROBOTIK", user_id: 1 } });
  assert.deepEqual(
    buffer.latestStates().map(({ data }) => [data.user_id, data.status]),
    [
      [1, "away"],
      [2, "online"],
    ],
  );
  buffer.clearStates();
  assert.deepEqual(buffer.latestStates(), []);
});

test("the progress of two exports are two states", () => {
  const buffer = new ReplayBuffer(0);
  for (const id of [1, 2]) buffer.add({ type: "export.progress", seq: null, data: { id } });
  assert.equal(buffer.latestStates().length, 2);
});

test("after a reset the buffer starts at the new cursor", () => {
  const buffer = new ReplayBuffer(0);
  buffer.add(message(1));
  buffer.begin(20);
  assert.equal(buffer.since(1), null);
  assert.deepEqual(buffer.since(20), []);
});

test("a request to join is not announced again to a tab that opens later", () => {
  const buffer = new ReplayBuffer(0);
  buffer.add({
    type: "ukm.requests",
    seq: null,
    data: { ukm: "ROBOTIK", open: 2, asked: "Siti" },
  });
  assert.deepEqual(
    buffer.latestStates().map(({ data }) => data),
    [{ ukm: "ROBOTIK", open: 2 }],
  );
});
