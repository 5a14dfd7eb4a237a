// A text that is too long stays in its field, and a counter says by how much. Without JavaScript
// `maxlength` cuts the text off.

import { debounced } from "./debounced.js";
import { setText } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";

const SHOWN_FROM_SHARE = 0.9;
const TYPING_PAUSE_MS = 1000;
const counters = new WeakMap();

/** The length as the server counts it: code points of the trimmed text in NFC. */
export const lengthOf = (text) => [...text.normalize("NFC").trim()].length;

/** Gives every <textarea maxlength> a counter, which appears at nine tenths of the limit. */
export function startCharacterCounts() {
  for (const field of document.querySelectorAll("textarea[maxlength]")) {
    field.dataset.max = field.maxLength;
    field.removeAttribute("maxlength");
    counters.set(field, makeCounter(field));
    field.addEventListener("input", () => showCount(field));
    showCount(field);
  }
}

/** To be called when a script has changed the field's text. */
export function showCount(field) {
  const { shown, announce } = counters.get(field);
  const max = Number(field.dataset.max);
  const length = lengthOf(field.value);
  const tooLong = length > max;
  const text = tooLong
    ? t("too_long", { n: number(length - max) })
    : `${number(length)} / ${number(max)}`;
  field.setCustomValidity(tooLong ? text : "");
  if (tooLong) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  shown.hidden = length < max * SHOWN_FROM_SHARE;
  shown.textContent = shown.hidden ? "" : text;
  shown.classList.toggle("problem", tooLong);
  announce();
}

/** Adds the visible count and a second one for screen readers. That one changes only after a pause,
 * because they read each change aloud, which would be one with each key. */
function makeCounter(field) {
  const [shown, announced] = [document.createElement("span"), document.createElement("span")];
  Object.assign(shown, { id: `${field.id}-count`, className: "character-count small muted" });
  shown.setAttribute("aria-hidden", "true");
  Object.assign(announced, { id: `${field.id}-count-announced`, className: "visually-hidden" });
  announced.setAttribute("role", "status");
  const described = field.getAttribute("aria-describedby") ?? "";
  field.setAttribute("aria-describedby", `${described} ${announced.id}`.trim());
  field.after(shown, announced);
  return {
    shown,
    announce: debounced(() => setText(announced, shown.textContent), TYPING_PAUSE_MS),
  };
}
