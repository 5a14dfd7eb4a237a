// The files of messages that the server has not stored yet: uploaded one after the other, each once
// (by its client_id), also after a reload or days without a network.

import { ApiError } from "../core/api.js";
import { getFile, removeFile } from "../core/file_store.js";
import { t } from "../core/i18n.js";
import { isReadable } from "../core/readable_file.js";
import { measure } from "./picture_size.js";
import { upload } from "./upload.js";

const previews = new Map();

/** The address of a picture that waits to be sent, null until it is read from the browser's
 * store. */
export const previewOf = (clientId) => previews.get(clientId) ?? null;

const fileLost = () => new ApiError(410, "file_lost", t("file_lost"));

export class WaitingFiles {
  /** Files of the account `owner` for the room at `url`. `progress(messageId, share)` is called while
   * the files of a message are sent, with a share from 0 to 1. */
  constructor(url, owner, progress) {
    Object.assign(this, { url: `${url}/files`, owner, progress });
    this.running = new Map();
    this.uploaded = new Map();
  }

  preview(clientId, file) {
    if (!previews.has(clientId)) previews.set(clientId, URL.createObjectURL(file));
  }

  /** Makes the preview of a waiting file that is a picture, and resolves to the file with the size
   * of the picture, which is unknown if the message was sent before the picture was measured. */
  async prepare(waiting) {
    const file = await getFile(this.owner, waiting.client_id).catch(() => null);
    if (!file) return waiting;
    const measured = waiting.width ? waiting : { ...waiting, ...(await measure(file)) };
    if (measured.width) this.preview(waiting.client_id, file);
    return measured;
  }

  /** Uploads the files of a waiting message and resolves to their ids. Rejects with an ApiError. */
  async send({ client_id: messageId, files = [] }) {
    const stop = new AbortController();
    this.running.set(messageId, stop);
    const total = files.reduce((sum, { size }) => sum + size, 0) || 1;
    let done = 0;
    const ids = [];
    try {
      for (const waiting of files) {
        const share = (part) => this.progress(messageId, (done + part * waiting.size) / total);
        ids.push(await this.uploadOne(waiting, share, stop.signal));
        done += waiting.size;
      }
    } finally {
      this.running.delete(messageId);
    }
    return ids;
  }

  async uploadOne({ client_id: clientId, name }, progress, signal) {
    if (this.uploaded.has(clientId)) return this.uploaded.get(clientId);
    const file = await getFile(this.owner, clientId).catch((error) => {
      throw new ApiError(0, "store", error.message); // status 0: the outbox tries again
    });
    if (!file) throw fileLost();
    const sent = upload(this.url, file, { name, clientId, progress, signal });
    const { id } = await sent.catch(async (error) => {
      if (error.status === 0 && !(await isReadable(file))) throw fileLost();
      throw error;
    });
    this.uploaded.set(clientId, id);
    return id;
  }

  /** Lets the next `send` upload these files again, because the server may no longer have them. */
  restart(files) {
    for (const { client_id } of files) this.uploaded.delete(client_id);
  }

  /** Aborts the upload of a message's files, and removes them from this browser. */
  remove({ client_id: messageId, files = [] }) {
    this.running.get(messageId)?.abort();
    for (const { client_id } of files) {
      removeFile(this.owner, client_id);
      URL.revokeObjectURL(previews.get(client_id));
      previews.delete(client_id);
      this.uploaded.delete(client_id);
    }
  }
}
