// The event bus of a page, on a fake stream.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { connect, on } from "../../myukm/static/js/live/events_bus.js";
import { makePage } from "./page.js";

let source;

class FakeSource extends EventTarget {
  constructor() {
    super();
    source = this;
  }

  say(type, data, lastEventId) {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data), lastEventId }));
  }

  close() {}
}

test("a listener that fails keeps no event from the others", () => {
  makePage({ dataset: { cursor: "3" } });
  globalThis.navigator ??= {}; // Node before 21 has none
  mock.timers.enable({ apis: ["setTimeout"] });
  const [heard, reported] = [[], []];
  Object.assign(globalThis, {
    EventSource: FakeSource,
    addEventListener: () => {},
    reportError: ({ message }) => reported.push(message),
  });
  on("chat.deleted", () => {
    throw new Error("broken");
  });
  on("chat.deleted", ({ id }) => heard.push(id));
  connect();
  source.say("chat.deleted", { id: 5 }, "4");
  source.say("chat.deleted", { id: 6 }, "5");
  assert.deepEqual(heard, [5, 6]);
  assert.deepEqual(reported, ["broken", "broken"]);
});
