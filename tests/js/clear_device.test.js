import assert from "node:assert/strict";
import test from "node:test";
import { clearDevice } from "../../myukm/static/js/push/clear_device.js";

const refuse = async (what) => {
  throw new Error(`no ${what}`);
};

/** Gives the page a browser with one notification and a push subscription; `broken` replaces parts. */
function makeBrowser(broken = {}) {
  const done = [];
  const registration = {
    getNotifications: async () => [{ close: () => done.push("closed") }],
    pushManager: {
      getSubscription: async () => ({ unsubscribe: async () => done.push("unsubscribed") }),
    },
    ...broken.registration,
  };
  const value = {
    clearAppBadge: async () => done.push("badge"),
    serviceWorker: { getRegistration: async () => registration },
    ...broken.navigator,
  };
  Object.defineProperty(globalThis, "navigator", { value, configurable: true });
  return done;
}

test("a log-out removes the number, the notifications and the subscription", async () => {
  const done = makeBrowser();
  await clearDevice(true);
  assert.deepEqual(done.sort(), ["badge", "closed", "unsubscribed"]);
});

test("the end of a session keeps the subscription", async () => {
  const done = makeBrowser();
  await clearDevice(false);
  assert.deepEqual(done.sort(), ["badge", "closed"]);
});

test("a step that fails keeps no other from being done, and is reported", async () => {
  const noBadge = makeBrowser({ navigator: { clearAppBadge: () => refuse("badge") } });
  await assert.rejects(clearDevice(true), /no badge/);
  assert.deepEqual(noBadge.sort(), ["closed", "unsubscribed"]);
  const noList = makeBrowser({ registration: { getNotifications: () => refuse("list") } });
  await assert.rejects(clearDevice(true), /no list/);
  assert.deepEqual(noList.sort(), ["badge", "unsubscribed"]);
});

test("a browser without badge and service worker has nothing to remove", async () => {
  makeBrowser({ navigator: { clearAppBadge: undefined, serviceWorker: undefined } });
  await clearDevice(true);
});
