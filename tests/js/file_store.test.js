// The store of waiting files, with an IndexedDB that loses its connection or is forbidden.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

let opens;
let cuts;
let forbidden;

/** A request that succeeds with `result`, or fails, in the next turn. */
function request(result, error = null) {
  const made = { result, error };
  queueMicrotask(() => (error ? made.onerror() : made.onsuccess?.()));
  return made;
}

const database = {
  transaction() {
    if (cuts > 0) {
      cuts -= 1;
      throw new Error("Connection to Indexed Database server lost");
    }
    const made = { objectStore: () => ({ get: () => ({ result: "the file" }) }) };
    setTimeout(() => made.oncomplete());
    return made;
  },
};

globalThis.indexedDB = {
  open() {
    opens += 1;
    return request(database, forbidden ? new Error("forbidden") : null);
  },
};

let store;
let loads = 0;

beforeEach(async () => {
  [opens, cuts, forbidden] = [0, 0, false];
  loads += 1; // a new copy of the module, as each page has its own
  store = await import(`../../myukm/static/js/core/file_store.js?${loads}`);
});

test("a connection that was cut is opened again", async () => {
  cuts = 1;
  assert.equal(await store.getFile("7", "a"), "the file");
  assert.equal(opens, 2);
});

test("a file that cannot be read now can be read later", async () => {
  cuts = 2;
  await assert.rejects(store.getFile("7", "a"));
  assert.equal(await store.getFile("7", "a"), "the file");
});

test("a forbidden store is empty", async () => {
  forbidden = true;
  assert.equal(await store.getFile("7", "a"), undefined);
});
