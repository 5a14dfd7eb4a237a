// Reports to the server that are throttled: typing and activity.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Typing } from "../../myukm/static/js/chat/typing.js";
import { startActivity } from "../../myukm/static/js/core/activity.js";
import { makePage } from "./page.js";

let posts;
let fails;
const listeners = {};

beforeEach(() => {
  makePage({
    strings: { typing_one: "{name} mengetik", typing_many: "banyak", network_error: "" },
  });
  document.hidden = false;
  const listen = (type, listener) => {
    listeners[type] = listener;
  };
  document.addEventListener = listen;
  globalThis.addEventListener = listen;
  posts = [];
  fails = false;
  globalThis.fetch = async (url) => {
    posts.push(url);
    if (fails) throw new TypeError("no network");
    return new Response(null, { status: 204 });
  };
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("typing is reported once in three seconds", (context) => {
  let ms = 0;
  context.mock.method(performance, "now", () => ms);
  const typing = new Typing({}, "/ukm/X");
  for (ms of [1, 100, 2999]) typing.send();
  assert.equal(posts.length, 1);
  ms = 3001;
  typing.send();
  assert.deepEqual(posts, ["/ukm/X/typing", "/ukm/X/typing"]);
});

test("after sending, and after a failure, the next key is reported at once", async (context) => {
  context.mock.method(performance, "now", () => 1);
  const typing = new Typing({}, "/ukm/X");
  typing.send();
  typing.messageSent();
  fails = true;
  typing.send();
  assert.equal(posts.length, 2);
  await settled();
  typing.send();
  assert.equal(posts.length, 3);
});

test("somebody who types is shown until their message comes or five seconds pass", (context) => {
  const timeouts = [];
  context.mock.method(globalThis, "setTimeout", (run, ms) => timeouts.push({ run, ms }));
  context.mock.method(globalThis, "clearTimeout", () => {});
  const line = {};
  const typing = new Typing(line, "/ukm/X");
  typing.add({ user_id: 1, name: "Mega" });
  assert.equal(line.textContent, "\u2068Mega\u2069 mengetik");
  typing.add({ user_id: 2, name: "Farhan" });
  assert.equal(line.textContent, "banyak");
  typing.remove(1);
  assert.equal(line.textContent, "\u2068Farhan\u2069 mengetik");
  for (const { run, ms } of timeouts) {
    assert.equal(ms, 5000);
    run();
  }
  assert.equal(line.textContent, "");
});

test("activity is reported once a minute, over all tabs, and only while visible", (context) => {
  let ms = 1_000_000;
  context.mock.method(Date, "now", () => ms);
  startActivity();
  listeners.keydown();
  assert.deepEqual(posts, ["/presence"]);
  ms += 60_001;
  document.hidden = true;
  listeners.keydown();
  assert.equal(posts.length, 1);
  document.hidden = false;
  listeners.visibilitychange();
  assert.equal(posts.length, 2);
});
