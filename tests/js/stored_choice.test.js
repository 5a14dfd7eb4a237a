import assert from "node:assert/strict";
import test from "node:test";
import { makePage } from "./page.js";

makePage({ strings: { unknown_error: "Gagal." } });
/** Stands for each element of a toast, which these tests do not look at. */
const element = new Proxy(() => element, { get: () => element, set: () => true });
const { getElementById } = document;
document.getElementById = (id) => getElementById(id) ?? element;
const { StoredChoice } = await import("../../myukm/static/js/core/stored_choice.js");

/** Lets each request wait until the test answers it; returns the list of open ones. */
function holdRequests() {
  const open = [];
  globalThis.fetch = (_url, { body }) =>
    new Promise((resolve) => open.push({ ...JSON.parse(body), resolve }));
  return open;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const done = { ok: true, status: 204, headers: new Map() };

const refused = { ok: false, status: 409, headers: new Map(), json: async () => ({}) };

test("choices are sent one after the other, and only the newest is shown", async () => {
  const open = holdRequests();
  const shown = [];
  const choice = new StoredChoice("/a", "every", false, (value) => shown.push(value));
  const calls = [choice.choose(true), choice.choose(false)];
  await settled();
  assert.deepEqual([open.length, open[0].every], [1, true]);
  open[0].resolve(done);
  await settled();
  assert.equal(open[1].every, false);
  open[1].resolve(done);
  await Promise.all(calls);
  assert.deepEqual(shown, [false]);
});

for (const [first, left] of [
  [done, "all"],
  [refused, "none"],
]) {
  test(`after a failed choice the form shows what the server has: ${left}`, async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] }); // a toast stays for 8 s
    const open = holdRequests();
    const shown = [];
    const choice = new StoredChoice("/a", "notices", "none", (value) => shown.push(value));
    const calls = [choice.choose("all"), choice.choose("mentions")];
    await settled();
    open[0].resolve(first);
    await settled();
    open[1].resolve(refused);
    await Promise.all(calls);
    assert.deepEqual(shown, [left]);
  });
}
