import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { WaitingFiles } from "../../myukm/static/js/chat/waiting_files.js";
import { putFile } from "../../myukm/static/js/core/file_store.js";
import { makePage } from "./page.js";

/** A request that fails as without a network. So does one with a file that cannot be read. */
class FailingRequest {
  upload = {};
  open() {}
  setRequestHeader() {}
  send() {
    this.onerror();
    this.onloadend();
  }
}

class LostFile extends Blob {
  slice() {
    return { arrayBuffer: () => Promise.reject(new Error("NotReadableError")) };
  }
}

beforeEach(() => {
  makePage({ strings: { network_error: "tidak terjangkau", file_lost: "tidak ada lagi" } });
  globalThis.XMLHttpRequest = FailingRequest;
});

/** Why the upload of a file fails. */
async function failureOf(file) {
  await putFile(7, "f1", file);
  const files = new WaitingFiles("/ukm/X", 7, () => {});
  const entry = { client_id: "m1", files: [{ client_id: "f1", size: 3 }] };
  return files.send(entry).catch((error) => error);
}

test("without a network a file is tried again later", async () => {
  const { status, code } = await failureOf(new Blob(["abc"]));
  assert.deepEqual([status, code], [0, "network"]);
});

test("a file that the browser can no longer read is lost, not retried for ever", async () => {
  const { status, code } = await failureOf(new LostFile(["abc"]));
  assert.deepEqual([status, code], [410, "file_lost"]);
});
