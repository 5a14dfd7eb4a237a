import assert from "node:assert/strict";
import { test } from "node:test";
import { ChunkedList } from "../../myukm/static/js/chat/chunked_list.js";
import { Timeline } from "../../myukm/static/js/chat/timeline.js";
import { FakeElement } from "./elements.js";

const HEIGHT = 10;

let measured = [];

/** An element of a message; `place` counts elements of 10 pixels from the top of the box. */
function element(message, place) {
  const made = Object.assign(new FakeElement(), { message });
  made.getBoundingClientRect = () => {
    measured.push(place);
    return { top: place * HEIGHT };
  };
  return made;
}

/** The last element in view of a timeline of these messages, in a box of 1,000 pixels. */
function lastInView(messages) {
  globalThis.requestAnimationFrame = () => {};
  globalThis.document = { createElement: (name) => new FakeElement(name) };
  const list = new ChunkedList(new FakeElement("div"));
  for (const [place, message] of messages.entries()) list.insert(element(message, place), null);
  for (const chunk of list.box.children) {
    const rectangle = chunk.firstElementChild.getBoundingClientRect();
    chunk.getBoundingClientRect = () => rectangle;
  }
  measured = [];
  const box = { getBoundingClientRect: () => ({ bottom: 1000 }) };
  return Object.assign(Object.create(Timeline.prototype), { list, box }).lastInView;
}

const stored = (count) => Array.from({ length: count }, (_, index) => ({ id: index + 1 }));

test("the last message in view is the last that begins at least 24 pixels above the lower edge", () => {
  assert.equal(lastInView(stored(30)).message.id, 30);
  assert.equal(lastInView(stored(120)).message.id, 98);
  assert.equal(lastInView([]), undefined);
});

test("no message of a chunk below the view is measured, because the browser would lay it out", () => {
  assert.equal(lastInView(stored(500)).message.id, 98);
  assert.ok(Math.max(...measured) < 100);
});

test("a failed message at the end, in a chunk of its own, does not hide the stored ones", () => {
  const failed = { client_id: "a", state: "failed" };
  assert.equal(lastInView([...stored(3), failed]).message.id, 3);
  assert.equal(lastInView([...stored(50), failed]).message.id, 50);
});
