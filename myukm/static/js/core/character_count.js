// A text that is too long stays in its field, and a counter says by how much. Without JavaScript
// `maxlength` cuts the text off.

import { number } from "./format.js";
import { t } from "./i18n.js";

const SHOWN_FROM_SHARE = 0.9;

/** The length as the server counts it: code points of the trimmed text in NFC. */
export const lengthOf = (text) => [...text.normalize("NFC").trim()].length;

/** Gives every <textarea maxlength> a counter, which appears at nine tenths of the limit. */
export function startCharacterCounts() {
  for (const field of document.querySelectorAll("textarea[maxlength]")) {
    field.dataset.max = field.maxLength;
    field.removeAttribute("maxlength");
    field.addEventListener("input", () => showCount(field));
    showCount(field);
  }
}

/** To be called when a script has changed the field's text. */
export function showCount(field) {
  const max = Number(field.dataset.max);
  const length = lengthOf(field.value);
  const tooLong = length > max;
  const text = tooLong
    ? t("too_long", { n: number(length - max) })
    : `${number(length)} / ${number(max)}`;
  field.setCustomValidity(tooLong ? text : "");
  if (tooLong) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  const counter = counterOf(field);
  counter.hidden = length < max * SHOWN_FROM_SHARE;
  counter.textContent = counter.hidden ? "" : text;
  counter.classList.toggle("problem", tooLong);
}

function counterOf(field) {
  const id = `${field.id}-count`;
  const existing = document.getElementById(id);
  if (existing) return existing;
  const counter = document.createElement("output");
  Object.assign(counter, { id, className: "character-count small muted" });
  counter.setAttribute("for", field.id);
  field.setAttribute(
    "aria-describedby",
    `${field.getAttribute("aria-describedby") ?? ""} ${id}`.trim(),
  );
  field.after(counter);
  return counter;
}
