// A text that is too long is kept, and a counter says so. Without scripts `maxlength` cuts it off.

import { number } from "./format.js";
import { t } from "./i18n.js";

const SHOWN_FROM = 0.9;

/** The length as the server counts it: code points of the trimmed text in NFC. */
export const lengthOf = (text) => [...text.normalize("NFC").trim()].length;

/** Counts the characters of every <textarea maxlength> from nine tenths of its limit on. */
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
  counter.hidden = length < max * SHOWN_FROM;
  counter.textContent = counter.hidden ? "" : text;
  counter.classList.toggle("problem", tooLong);
}

function counterOf(field) {
  const id = `${field.id}-count`;
  const made = document.getElementById(id);
  if (made) return made;
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
