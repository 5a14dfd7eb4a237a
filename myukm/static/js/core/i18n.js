// The page's texts in the reader's language, from its JSON blocks.

import { data } from "./dom.js";

let phrases = null;

/** The phrase `key` with each {name} replaced from `values`. */
export function t(key, values = {}) {
  phrases ??= { ...data("strings"), ...data("run-strings"), ...data("page-strings") };
  return phrases[key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Isolates a name inside a phrase, so that a name written from right to left does not reorder it. */
export const bidiIsolate = (name) => `\u2068${name}\u2069`;
