// Which messages are reported as read, with mocked timers.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { startReading } from "../../myukm/static/js/chat/read_marker.js";
import { makePage } from "./page.js";

let answers;
let reported;

beforeEach((context) => {
  makePage({ strings: { network_error: "tidak terjangkau", unknown_error: "gagal" } });
  Object.assign(document, { hidden: false, addEventListener: () => {} });
  context.mock.timers.enable({ apis: ["setTimeout"] });
  answers = [];
  reported = [];
  globalThis.fetch = async (_url, { body }) => {
    reported.push(JSON.parse(body).last_id);
    return new Response(null, { status: answers.shift() ?? 204 });
  };
});

/** Opens a room in which all messages up to `id` are in view. */
function open(id) {
  const box = { addEventListener: () => {} };
  const timeline = { box, lastInView: { message: { id } }, lastServerId: id };
  return { timeline, reading: startReading(timeline, "/ukm/X") };
}

/** Advances the timers and waits until the requests are answered. */
async function pass(context, ms) {
  context.mock.timers.tick(ms);
  for (let n = 0; n < 20; n += 1) await new Promise((next) => setImmediate(next));
}

test("a message in view is reported once", async (context) => {
  const { reading } = open(5);
  await pass(context, 3000);
  reading.checkSoon();
  await pass(context, 1000);
  assert.deepEqual(reported, [5]);
});

test("a report that fails is sent again, a refused one is not", async (context) => {
  answers = [503, 404];
  open(5);
  await pass(context, 3000);
  assert.deepEqual(reported, [5]);
  await pass(context, 5000);
  assert.deepEqual(reported, [5, 5]);
  await pass(context, 60_000);
  assert.deepEqual(reported, [5, 5]);
});

test("reports resume when all pauses have ended, in whatever order", async (context) => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    reported = [];
    const { reading } = open(5);
    const ends = await Promise.all([reading.pause(), reading.pause()]);
    ends[order[0]]();
    await pass(context, 3000);
    assert.deepEqual(reported, []);
    ends[order[1]]();
    reading.checkSoon();
    await pass(context, 1000);
    assert.deepEqual(reported, [5]);
  }
});
