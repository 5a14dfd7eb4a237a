// The outbox, with a real server on a free port and a storage that outlives the page.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { Outbox } from "../../myukm/static/js/chat/outbox.js";
import { ApiError } from "../../myukm/static/js/core/api.js";
import { makePage } from "./page.js";

const KEY = "outbox:7:ROBOTIK";
const AUTHOR = { user_id: 7, name: "Mega", ukm: "ROBOTIK" };

let stored;
let answers;
let posts;
let url;

const server = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  posts.push(JSON.parse(body));
  const [status, answer, headers] = answers.shift() ?? [201, { id: posts.length, ...posts.at(-1) }];
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(answer));
});

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${server.address().port}`;
});

after(() => server.close());

beforeEach(() => {
  stored = makePage({
    dataset: { now: new Date().toISOString() },
    strings: { network_error: "tidak terjangkau", unknown_error: "gagal ({status})" },
  });
  answers = [];
  posts = [];
});

/** An outbox that records its calls; `until(condition)` checks the condition after each of them. */
function open(address = url, files = undefined) {
  const states = [];
  const sent = [];
  let wake = () => {};
  const outbox = new Outbox(KEY, address, AUTHOR, {
    changed: ({ message, state }) => {
      states.push([message, state]);
      wake();
    },
    sent: ({ message }) => {
      sent.push(message);
      wake();
    },
    files,
  });
  const until = async (condition) => {
    while (!condition()) {
      await new Promise((resolve) => {
        wake = resolve;
      });
    }
  };
  return { outbox, states, sent, until };
}

const kept = () => JSON.parse(stored.get(KEY) ?? "[]");

test("a message is sent with its id and its quote, and leaves the outbox", async () => {
  const { outbox, sent, states, until } = open();
  outbox.add("halo", { id: 3, message: "apa" });
  await until(() => sent.length === 1);
  const [{ message, client_id: id, reply_to: quoted }] = posts;
  assert.deepEqual([message, quoted], ["halo", 3]);
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.deepEqual(states, [["halo", "pending"]]);
  assert.deepEqual(kept(), []);
});

test("messages are sent in the order of writing, one at a time", async () => {
  const { outbox, sent, until } = open();
  for (const text of ["satu", "dua", "tiga"]) outbox.add(text, null);
  await until(() => sent.length === 3);
  assert.deepEqual(sent, ["satu", "dua", "tiga"]);
});

test("after a failure of the server the next page sends the same message", async () => {
  answers = [[503, { error: { code: "down", message: "sebentar" } }]];
  const first = open();
  first.outbox.add("halo", null);
  await first.until(() => first.states.length === 2);
  clearTimeout(first.outbox.timer);
  assert.deepEqual(first.states.at(-1), ["halo", "waiting"]);
  const [{ why, refused }] = kept();
  assert.deepEqual([why, refused], ["sebentar", undefined]);
  const second = open();
  assert.deepEqual(second.states, [["halo", "waiting"]]);
  second.outbox.flush();
  await second.until(() => second.sent.length === 1);
  assert.equal(posts[0].client_id, posts[1].client_id);
});

test("a refused message waits to be resent and does not hold up later ones", async () => {
  answers = [[422, { error: { code: "empty", message: "kosong" } }]];
  const { outbox, sent, states, until } = open();
  outbox.add("satu", null);
  outbox.add("dua", null);
  await until(() => sent.length === 1);
  assert.deepEqual(sent, ["dua"]);
  assert.deepEqual(states.at(-1), ["satu", "failed"]);
  const [entry] = kept();
  assert.ok(entry.refused);
  outbox.resend(entry.client_id);
  await until(() => sent.length === 2);
  assert.deepEqual(kept(), []);
});

test("without a network the message is kept, and the pause between tries doubles", async () => {
  const { outbox, states, until } = open("http://127.0.0.1:1");
  outbox.add("halo", null);
  await until(() => states.length === 2);
  clearTimeout(outbox.timer);
  assert.deepEqual([kept()[0].state, kept()[0].why], ["waiting", null]);
  assert.equal(outbox.failures, 1);
  await outbox.flush();
  clearTimeout(outbox.timer);
  assert.equal(outbox.failures, 2);
});

test("without a network all messages are shown as waiting", async () => {
  const { outbox, states, until } = open("http://127.0.0.1:1");
  outbox.add("satu", null);
  outbox.add("dua", null);
  await until(() => states.length === 4);
  clearTimeout(outbox.timer);
  assert.deepEqual(states.slice(2), [
    ["satu", "waiting"],
    ["dua", "waiting"],
  ]);
});

test("above the rate limit a message waits for Retry-After, and no error is shown", async () => {
  answers = [
    [429, { error: { code: "too_fast", message: "Terlalu cepat" } }, { "Retry-After": "1" }],
  ];
  const { outbox, sent, states, until } = open();
  const began = performance.now();
  outbox.add("halo", null);
  await until(() => sent.length === 1);
  assert.deepEqual(states, [["halo", "pending"]]);
  assert.ok(performance.now() - began >= 990);
});

test("no message is lost when the storage becomes full after the first one", async () => {
  answers = [[500, {}]];
  const { outbox, sent, states, until } = open();
  outbox.add("satu", null);
  await until(() => states.length === 2);
  window.localStorage.setItem = () => {
    throw new Error("full");
  };
  outbox.add("dua", null);
  clearTimeout(outbox.timer);
  outbox.flush();
  await until(() => sent.length === 2);
  assert.deepEqual(sent, ["satu", "dua"]);
});

test("without storage messages wait in memory", async () => {
  window.localStorage.setItem = () => {
    throw new Error("full");
  };
  answers = [[500, {}]];
  const { outbox, sent, states, until } = open();
  outbox.add("halo", null);
  await until(() => states.length === 2);
  clearTimeout(outbox.timer);
  outbox.flush();
  await until(() => sent.length === 1);
  assert.deepEqual(outbox.entries(), []);
});

/** Files whose upload ends when the test says so. */
function heldFiles() {
  const held = {
    removed: [],
    restarted: 0,
    send: () => new Promise((end) => Object.assign(held, { end })),
  };
  held.remove = ({ files }) => held.removed.push(...files.map((file) => file.client_id));
  held.restart = () => {
    held.restarted += 1;
  };
  return held;
}

test("a text does not wait for the upload of an earlier message, which then names its files", async () => {
  const files = heldFiles();
  const { outbox, sent, until } = open(url, files);
  outbox.add("", null, [{ client_id: "f1", size: 5 }]);
  outbox.add("sementara itu", null);
  await until(() => sent.length === 1);
  assert.deepEqual(sent, ["sementara itu"]);
  files.end([9]);
  await until(() => sent.length === 2);
  assert.deepEqual(posts[1].files, [9]);
  assert.deepEqual(files.removed, ["f1"]);
  assert.deepEqual(kept(), []);
});

test("a message that is removed while its files are sent is not sent", async () => {
  const files = heldFiles();
  files.send = () => new Promise((_end, fail) => Object.assign(files, { fail }));
  const { outbox, sent, until } = open(url, files);
  outbox.add("", null, [{ client_id: "f1", size: 5 }]);
  outbox.remove(kept()[0].client_id);
  files.fail(new ApiError(0, "network", "tidak terjangkau"));
  outbox.add("sesudahnya", null);
  await until(() => sent.length === 1);
  assert.deepEqual(sent, ["sesudahnya"]);
  assert.equal(outbox.failures, 0);
});

test("a message that another tab discards while its files are sent is not sent", async () => {
  const files = heldFiles();
  const { outbox, sent, until } = open(url, files);
  outbox.add("", null, [{ client_id: "f1", size: 5 }]);
  stored.delete(KEY);
  files.end([9]);
  outbox.add("sesudahnya", null);
  await until(() => sent.length === 1);
  while (outbox.busy.size) await new Promise((next) => setTimeout(next, 5));
  assert.deepEqual(sent, ["sesudahnya"]);
});

test("a refused message uploads its files again when it is resent", async () => {
  answers = [[422, { error: { code: "no_such_file", message: "tidak ada lagi" } }]];
  const files = { ...heldFiles(), send: async () => [9] };
  files.restart = () => {
    files.restarted += 1;
  };
  const { outbox, sent, states, until } = open(url, files);
  outbox.add("", null, [{ client_id: "f1", size: 5 }]);
  await until(() => states.at(-1)[1] === "failed");
  assert.equal(files.restarted, 1);
  outbox.resend(kept()[0].client_id);
  await until(() => sent.length === 1);
});
