import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { startMemberRefresh } from "../../myukm/static/js/chat/member_refresh.js";
import { makePage } from "./page.js";

const LONGEST_WAIT_MS = 120_000;
const presence = { complete: false };
let refreshes;
let isShown;
let listeners;
let changed;

beforeEach(() => {
  makePage();
  [refreshes, isShown, listeners] = [0, true, {}];
  const addEventListener = (type, listener) => {
    listeners[type] = listener;
  };
  Object.assign(document, { hidden: false, addEventListener });
  Object.assign(window, { addEventListener });
  const panel = { addEventListener, checkVisibility: () => isShown };
  presence.complete = false;
  changed = startMemberRefresh(presence, panel, () => {
    refreshes += 1;
  });
});

test("many changes load the list of a large UKM again once, some time later", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  for (const expected of [1, 2]) {
    for (let count = 0; count < 3; count += 1) changed();
    assert.equal(refreshes, expected - 1);
    context.mock.timers.tick(LONGEST_WAIT_MS);
    assert.equal(refreshes, expected);
  }
});

test("a stale list is loaded at once when a wider window shows it", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  isShown = false;
  changed();
  context.mock.timers.tick(LONGEST_WAIT_MS);
  isShown = true;
  listeners.resize();
  assert.equal(refreshes, 1);
});

test("a complete list is never loaded again", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  presence.complete = true;
  changed();
  context.mock.timers.tick(LONGEST_WAIT_MS);
  listeners.toggle();
  assert.equal(refreshes, 0);
});

test("while nobody sees the list nothing is loaded, then at once", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  isShown = false;
  changed();
  context.mock.timers.tick(LONGEST_WAIT_MS);
  assert.equal(refreshes, 0);
  isShown = true;
  listeners.toggle();
  document.hidden = true;
  changed();
  context.mock.timers.tick(LONGEST_WAIT_MS);
  assert.equal(refreshes, 1);
  document.hidden = false;
  listeners.visibilitychange();
  context.mock.timers.tick(LONGEST_WAIT_MS);
  assert.equal(refreshes, 2);
});
