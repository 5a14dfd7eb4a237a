// The page's icon with the number of unread messages on it.

import { number } from "./format.js";

const SIZE = 64;

let plain = null;
let mark = null;

async function picture() {
  mark ??= Object.assign(new Image(SIZE, SIZE), { src: plain });
  await mark.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: SIZE, height: SIZE });
  canvas.getContext("2d").drawImage(mark, 0, 0, SIZE, SIZE);
  return canvas;
}

function write(canvas, text) {
  const pen = canvas.getContext("2d");
  pen.font = `bold ${text.length > 2 ? 28 : 36}px sans-serif`;
  const width = Math.max(40, pen.measureText(text).width + 14);
  pen.fillStyle = "#c02b1d";
  pen.beginPath();
  pen.roundRect(SIZE - width, SIZE - 40, width, 40, 18);
  pen.fill();
  Object.assign(pen, { fillStyle: "#ffffff", textAlign: "center", textBaseline: "middle" });
  pen.fillText(text, SIZE - width / 2, SIZE - 19);
}

/** Shows `count` on the icon; 0 takes it away. */
export async function showOnIcon(count) {
  const link = document.querySelector('link[rel="icon"]');
  if (!link) return;
  plain ??= link.href;
  link.dataset.count = count;
  if (!count) {
    link.href = plain;
    return;
  }
  const canvas = await picture();
  if (Number(link.dataset.count) !== count) return;
  write(canvas, count > 99 ? "99+" : number(count));
  link.href = canvas.toDataURL();
}
