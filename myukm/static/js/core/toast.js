import { cloneTemplate, fillSlots } from "./dom.js";

const SHOWN_MS = 8000;

/** Shows a text above the page for 8 s and returns its element; `tone` is good, wait, bad
 * or neutral. A toast with a `link` ([text, address]) stays until it is closed, so that nobody
 * misses it. */
export function toast(text, tone = "neutral", link = null) {
  const note = fillSlots(cloneTemplate("toast-template"), { text });
  note.classList.add(`tone-${tone}`);
  note.querySelector("button").addEventListener("click", () => note.remove());
  const anchor = note.querySelector("a");
  if (link) [anchor.textContent, anchor.href] = link;
  else anchor.remove();
  document.getElementById("toasts").append(note);
  if (!link) setTimeout(() => note.remove(), SHOWN_MS);
  return note;
}
