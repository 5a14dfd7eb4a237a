// Importing a module runs nothing, so each can be imported without a page. The exceptions are the
// entries, which the browser itself starts.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import test from "node:test";

const SOURCE = new URL("../../myukm/static/js/", import.meta.url);
const ENTRIES = [
  "chat/room_boot.js",
  "core/app.js",
  "core/confirm_boot.js",
  "core/theme_boot.js",
  "pages/auth.js",
  "pages/offline.js",
  "push/service_worker.js",
];
const MOUNTED =
  /^pages\/|^sync\/(run_)?page\.js|^chat\/room\.js|^queues\/history\.js|^core\/(copy_button|open_details|print_button|submit_on_change)\.js/;

const files = readdirSync(SOURCE, { recursive: true }).filter((name) => name.endsWith(".js"));

for (const name of files.filter((file) => !ENTRIES.includes(file))) {
  test(`${name} is imported without a page`, async () => {
    const module = await import(new URL(name, SOURCE));
    assert.equal(typeof module.default, MOUNTED.test(name) ? "function" : "undefined");
  });
}

test("the list of entries names existing files", () => {
  assert.deepEqual(
    ENTRIES.filter((name) => !files.includes(name)),
    [],
  );
});
