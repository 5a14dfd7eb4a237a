import assert from "node:assert/strict";
import test from "node:test";
import { startActivity } from "../../myukm/static/js/core/activity.js";
import { makePage } from "./page.js";

test("a browser that cannot store anything reports activity once a minute, too", (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  makePage();
  window.localStorage.setItem = () => {
    throw new Error("full");
  };
  const listeners = {};
  globalThis.addEventListener = (type, listener) => {
    listeners[type] = listener;
  };
  Object.assign(document, { hidden: false, addEventListener: () => {} });
  let reports = 0;
  globalThis.fetch = async () => {
    reports += 1;
    return new Response(null, { status: 204 });
  };
  startActivity();
  for (const _key of "abc") listeners.keydown();
  assert.equal(reports, 1);
  context.mock.timers.tick(60_000);
  for (const _key of "abc") listeners.keydown();
  assert.equal(reports, 2);
});
