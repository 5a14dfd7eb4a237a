import assert from "node:assert/strict";
import test from "node:test";
import { poll } from "../../myukm/static/js/core/poll.js";

test("polls each second, less often after a failure, and not while the page is hidden", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const target = Object.assign(new EventTarget(), { hidden: false });
  globalThis.document = target;
  let answers = true;
  let polls = 0;
  const after = async (milliseconds) => {
    t.mock.timers.tick(milliseconds);
    await Promise.resolve();
    await Promise.resolve();
    return polls;
  };
  poll(
    () => polls < 5,
    async () => {
      polls += 1;
      return answers;
    },
  );
  assert.equal(await after(1000), 1);
  answers = false;
  assert.equal(await after(1000), 2);
  assert.equal(await after(9_000), 2);
  answers = true;
  assert.equal(await after(1000), 3);
  target.hidden = true;
  assert.equal(await after(60_000), 3);
  target.hidden = false;
  target.dispatchEvent(new Event("visibilitychange"));
  assert.equal(await after(0), 4);
  assert.equal(await after(1000), 5);
  assert.equal(await after(60_000), 5);
});
