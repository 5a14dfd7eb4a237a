import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { after, before, ChunkedList } from "../../myukm/static/js/chat/chunked_list.js";
import { FakeElement } from "./elements.js";

let frames;
let box;
let list;

beforeEach(() => {
  frames = [];
  globalThis.requestAnimationFrame = (run) => frames.push(run);
  globalThis.document = { createElement: (name) => new FakeElement(name) };
  box = new FakeElement("div");
  list = new ChunkedList(box);
});

function element(id) {
  return Object.assign(new FakeElement(), { id });
}

/** Appends elements with the ids 1 … count and returns them. */
function fill(count) {
  const elements = Array.from({ length: count }, (_, index) => element(index + 1));
  for (const each of elements) list.insert(each, null);
  return elements;
}

const sizes = () => box.children.map((chunk) => chunk.childElementCount);
const ids = () => [...list].map(({ id }) => id);

test("an empty list has neither first nor last", () => {
  assert.deepEqual([list.first, list.last, ids()], [null, null, []]);
});

test("appended elements fill chunks of fifty", () => {
  const elements = fill(120);
  assert.deepEqual(sizes(), [50, 50, 20]);
  assert.equal(list.first, elements[0]);
  assert.equal(list.last, elements[119]);
});

test("an element before a full first chunk gets a new chunk", () => {
  const [first] = fill(50);
  list.insert(element(0), first);
  assert.deepEqual(sizes(), [1, 50]);
  assert.equal(list.first.id, 0);
});

test("in the middle an element joins the chunk of its successor", () => {
  const elements = fill(60);
  list.insert(element(50.5), elements[50]);
  assert.deepEqual(sizes(), [50, 11]);
  assert.deepEqual(ids().slice(48, 52), [49, 50, 50.5, 51]);
});

test("neighbours are found across chunks", () => {
  const elements = fill(51);
  assert.equal(after(elements[49]), elements[50]);
  assert.equal(before(elements[50]), elements[49]);
  assert.equal(before(elements[0]) ?? null, null);
  assert.equal(after(elements[50]) ?? null, null);
});

test("a chunk without elements is removed", () => {
  const elements = fill(51);
  list.remove(elements[50]);
  assert.deepEqual(sizes(), [50]);
});

test("an element that is inserted again moves", () => {
  const elements = fill(3);
  list.insert(elements[2], elements[0]);
  assert.deepEqual(ids(), [3, 1, 2]);
});

test("a changed chunk is settled two frames later, when it was laid out", () => {
  const [one] = fill(1);
  const chunk = one.parentNode;
  assert.ok(!chunk.classes.has("is-settled"));
  frames.shift()();
  assert.ok(!chunk.classes.has("is-settled"));
  frames.shift()();
  assert.ok(chunk.classes.has("is-settled"));
  list.changed(one);
  assert.ok(!chunk.classes.has("is-settled"));
});

test("a chunk that changes again before it is settled is laid out once more first", () => {
  const [one] = fill(1);
  const chunk = one.parentNode;
  frames.shift()();
  list.changed(one); // as by a message that arrives between two frames
  frames.shift()();
  assert.ok(!chunk.classes.has("is-settled"));
  frames.shift()();
  frames.shift()();
  assert.ok(chunk.classes.has("is-settled"));
});

test("a chunk that loses an element is laid out anew", () => {
  const [one] = fill(2);
  const chunk = one.parentNode;
  frames.shift()();
  frames.shift()();
  assert.ok(chunk.classes.has("is-settled"));
  list.remove(one);
  assert.ok(!chunk.classes.has("is-settled"));
});
