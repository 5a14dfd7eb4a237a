import assert from "node:assert/strict";
import test from "node:test";
import { makePage } from "./page.js";

makePage({ strings: { network_error: "Tidak ada jaringan." } });
const { storeChoice } = await import("../../myukm/static/js/core/store_choice.js");

/** Lets each request wait until the test answers it; returns the list of open ones. */
function holdRequests() {
  const open = [];
  globalThis.fetch = (_url, { body }) =>
    new Promise((resolve, reject) => open.push({ body: JSON.parse(body), resolve, reject }));
  return open;
}

const settled = () => new Promise((resolve) => setTimeout(resolve));
const done = { ok: true, status: 204, headers: new Map() };

test("choices of one URL are sent one after the other, and only the newest is shown", async () => {
  const open = holdRequests();
  const results = [storeChoice("/a", { every: true }), storeChoice("/a", { every: false })];
  await settled();
  assert.deepEqual(
    open.map(({ body }) => body),
    [{ every: true }],
  );
  open[0].resolve(done);
  await settled();
  assert.deepEqual(open[1].body, { every: false });
  open[1].resolve(done);
  assert.deepEqual(await Promise.all(results), [null, true]);
});
