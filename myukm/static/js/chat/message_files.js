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

/** The address of a file's picture, null while a waiting one is not read from the store yet. */
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

/** A text that changes when the files have to be shown anew. */
const keyOf = (files) => JSON.stringify(files.map((file) => [file.url, addressOf(file)]));

/** Takes over the files that the server has rendered. */
export function adoptFiles(element, { files = [] }) {
  element.querySelector(".message-files").shown = keyOf(files);
}

/** Shows the files of a message, none of a deleted one. Files that are already shown keep their
 * elements, because one may have the focus. */
export function showFiles(element, { files = [], deleted }) {
  const box = element.querySelector(".message-files");
  const wanted = deleted ? [] : files;
  const key = keyOf(wanted);
  if (box.shown === key) return;
  box.shown = key;
  box.hidden = !wanted.length;
  box.replaceChildren(...wanted.map((file) => (file.width ? picture(file) : document_(file))));
}

/** Shows which share of a waiting message's files is sent, from 0 to 1. */
export function showProgress(element, share) {
  const bar = element?.querySelector("progress");
  if (bar) bar.value = share;
}
