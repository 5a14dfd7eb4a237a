import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { UkmState } from "../../myukm/static/js/chat/ukm_state.js";
import { Refresh } from "../../myukm/static/js/core/refresh.js";
import { makePage } from "./page.js";

let requests;
let answer;

beforeEach((context) => {
  makePage({
    dataset: { now: new Date().toISOString() },
    strings: { no_member: "bukan anggota", muted: "", unknown_error: "" },
  });
  context.mock.timers.enable({ apis: ["setTimeout"] });
  requests = 0;
  answer = [404, {}];
  globalThis.fetch = async () => {
    requests += 1;
    return new Response(JSON.stringify(answer[1]), { status: answer[0] });
  };
});

/** The state of a room whose page has no elements. */
function stateOf(state) {
  const made = Object.create(UkmState.prototype);
  const none = { querySelector: () => null };
  Object.assign(made, { form: { elements: [] }, url: "/ukm/X", state, note: none, pin: none });
  made.refresh = new Refresh();
  made.reload = () => made.load();
  return made;
}

async function pass(context, ms) {
  context.mock.timers.tick(ms);
  for (let n = 0; n < 20; n += 1) await new Promise((next) => setImmediate(next));
}

test("the state is requested once for a muted person who was removed", async (context) => {
  const state = stateOf({ muted_until: new Date(Date.now() + 5000).toISOString() });
  state.apply({});
  for (let n = 0; n < 30; n += 1) await pass(context, 1000);
  assert.equal(requests, 1);
  assert.equal(state.closedReason, "bukan anggota");
});

test("a person who was added again can write again", async () => {
  const state = stateOf({ member: false });
  answer = [200, { archived: false, muted_until: null }];
  await state.load();
  assert.equal(state.closedReason, "");
});
