// The files of a message: pictures, which have their size before they load, and documents to download.

import { cloneTemplate, fillSlots } from "../core/dom.js";
import { size } from "../core/format.js";
import { previewOf } from "./waiting_files.js";

const PREVIEW_PX = 320;

/** The size of a picture's preview, within one pixel of what the server computes (`models/chat_file.py`). */
function previewSize({ width, height }) {
  const scale = Math.min(1, PREVIEW_PX / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** The address of a file's picture; null for an unsent file that is not read from IndexedDB yet. */
const addressOf = ({ thumbnail, client_id: clientId }) => thumbnail?.url ?? previewOf(clientId);

function pictureLink({ url, name, thumbnail, ...file }) {
  const link = cloneTemplate("file-picture");
  const image = link.querySelector("img");
  const { width, height } = thumbnail ?? previewSize(file);
  const address = addressOf({ thumbnail, ...file });
  Object.assign(image, { width, height, alt: name });
  if (address) image.src = address;
  if (url) link.href = url;
  else link.removeAttribute("href");
  return link;
}

function documentLink({ url, name, size: bytes }) {
  const link = fillSlots(cloneTemplate("file-document"), { name, size: size(bytes) });
  if (url) link.href = url;
  else link.removeAttribute("href");
  return link;
}

/** A key that changes when the files must be rendered again. */
const keyOf = (files) => JSON.stringify(files.map((file) => [file.url, addressOf(file)]));

/** Marks the files that the server rendered as shown. */
export function adoptFiles(element, { files = [] }) {
  element.querySelector(".message-files").shown = keyOf(files);
}

/** Shows the files of a message, none of a deleted one. Files that are already shown keep their
 * elements, because an element may have the focus. */
export function showFiles(element, { files = [], deleted }) {
  const box = element.querySelector(".message-files");
  const wanted = deleted ? [] : files;
  const key = keyOf(wanted);
  if (box.shown === key) return;
  box.shown = key;
  box.hidden = !wanted.length;
  box.replaceChildren(
    ...wanted.map((file) => (file.width ? pictureLink(file) : documentLink(file))),
  );
}

/** Shows which share of an unsent message's files is uploaded, from 0 to 1. */
export function showProgress(element, share) {
  const bar = element?.querySelector("progress");
  if (bar) bar.value = share;
}
