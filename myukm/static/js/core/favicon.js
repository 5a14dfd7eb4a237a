// The page's icon with the number of unread messages on it.

import { number } from "./format.js";

const SIZE_PX = 64;

let plainUrl = null;
let plainImage = null;

async function drawPlain() {
  plainImage ??= Object.assign(new Image(SIZE_PX, SIZE_PX), { src: plainUrl });
  await plainImage.decode();
  const canvas = Object.assign(document.createElement("canvas"), {
    width: SIZE_PX,
    height: SIZE_PX,
  });
  canvas.getContext("2d").drawImage(plainImage, 0, 0, SIZE_PX, SIZE_PX);
  return canvas;
}

function drawCount(canvas, text) {
  const pen = canvas.getContext("2d");
  pen.font = `bold ${text.length > 2 ? 28 : 36}px sans-serif`;
  const width = Math.max(40, pen.measureText(text).width + 14);
  pen.fillStyle = "#c02b1d";
  pen.beginPath();
  pen.roundRect(SIZE_PX - width, SIZE_PX - 40, width, 40, 18);
  pen.fill();
  Object.assign(pen, { fillStyle: "#ffffff", textAlign: "center", textBaseline: "middle" });
  pen.fillText(text, SIZE_PX - width / 2, SIZE_PX - 19);
}

/** Shows `count` on the icon; 0 shows the plain icon. */
export async function showOnIcon(count) {
  const link = document.querySelector('link[rel="icon"]');
  if (!link) return;
  plainUrl ??= link.href;
  link.dataset.count = count;
  if (!count) {
    link.href = plainUrl;
    return;
  }
  const canvas = await drawPlain();
  if (Number(link.dataset.count) !== count) return;
  drawCount(canvas, count > 99 ? "99+" : number(count));
  link.href = canvas.toDataURL();
}
