// The page's texts come from the template, in the reader's language.

import { data } from "./dom.js";

const words = { ...data("strings"), ...data("page-strings") };

/** The phrase `key` with each {name} replaced from `values`. */
export function t(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A name for use inside a phrase: one that is written from right to left does not turn it. */
export const bidiIsolate = (name) => `\u2068${name}\u2069`;
