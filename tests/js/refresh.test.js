import assert from "node:assert/strict";
import test from "node:test";
import { Refresh } from "../../myukm/static/js/core/refresh.js";

/** A state that events change: each sets `archived`, `pin` or both. */
function makeState() {
  const refresh = new Refresh();
  const state = {};
  const apply = (change) => Object.assign(state, change);
  const handle = (event) => {
    refresh.record(() => apply(event));
    apply(event);
  };
  return { state, handle, load: (request) => refresh.load(request, apply) };
}

test("an event during a load is applied to its answer", async () => {
  const { state, handle, load } = makeState();
  await load(async () => {
    handle({ archived: true });
    return { archived: false, pin: "A" };
  });
  assert.deepEqual(state, { archived: true, pin: "A" });
  await load(async () => ({ archived: false }));
  assert.equal(state.archived, false, "the event is applied again only once");
});

test("the answer of an older load does not replace that of a newer one", async () => {
  const { state, handle, load } = makeState();
  let answerOlder;
  const older = load(() => new Promise((resolve) => (answerOlder = resolve)));
  handle({ archived: true });
  await load(async () => ({ archived: true, pin: "B" }));
  answerOlder({ archived: false, pin: "A" });
  await older;
  assert.deepEqual(state, { archived: true, pin: "B" });
});

test("events are applied once if the load fails", async () => {
  let applied = 0;
  const refresh = new Refresh();
  const request = async () => {
    refresh.record(() => (applied += 1));
    throw new Error("no network");
  };
  await assert.rejects(refresh.load(request, () => {}));
  assert.equal(applied, 0);
});
