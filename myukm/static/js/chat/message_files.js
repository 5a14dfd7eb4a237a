// The files of a message: pictures with their room reserved, and documents for saving.

import { cloneTemplate, fillSlots } from "../core/dom.js";
import { size } from "../core/format.js";
import { previewOf } from "./waiting_files.js";

const PREVIEW = 320;

/** The room that a picture takes, as the server computes it (`models/chat_file.py`). */
function roomFor({ width, height }) {
  const scale = Math.min(1, PREVIEW / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** Where the picture of a file is, null while it is not read yet. */
const addressOf = ({ thumbnail, client_id: waiting }) => thumbnail?.url ?? previewOf(waiting);

function picture({ url, name, thumbnail, ...file }) {
  const link = cloneTemplate("file-picture");
  const image = link.querySelector("img");
  const { width, height } = thumbnail ?? roomFor(file);
  const address = addressOf({ thumbnail, ...file });
  Object.assign(image, { width, height, alt: name });
  if (address) image.src = address;
  if (url) link.href = url;
  else link.removeAttribute("href");
  return link;
}

function document_({ url, name, size: bytes }) {
  const link = fillSlots(cloneTemplate("file-document"), { name, size: size(bytes) });
  if (url) link.href = url;
  else link.removeAttribute("href");
  return link;
}

/** What tells the files of a message from those that are shown. */
const keyOf = (files) => JSON.stringify(files.map((file) => [file.url, addressOf(file)]));

/** Takes over the files that the server has rendered. */
export function adoptFiles(element, { files = [] }) {
  element.querySelector(".message-files").shown = keyOf(files);
}

/** Shows the files of a message, those of a deleted one not any more. Those that are shown stay: one
 * may have the focus. */
export function showFiles(element, { files = [], deleted }) {
  const box = element.querySelector(".message-files");
  const wanted = deleted ? [] : files;
  const key = keyOf(wanted);
  if (box.shown === key) return;
  box.shown = key;
  box.hidden = !wanted.length;
  box.replaceChildren(...wanted.map((file) => (file.width ? picture(file) : document_(file))));
}

/** Shows how much of a waiting message is sent, as a share of 1. */
export function showProgress(element, share) {
  const bar = element?.querySelector("progress");
  if (bar) bar.value = share;
}
