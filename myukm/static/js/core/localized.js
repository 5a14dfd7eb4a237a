// Sentences that the server stored or published once, in the reader's language.

/** The value with each object in the page's language: an object has its texts in the campus's
 * language, and in `translations` those in the other languages (`myukm/sentences.py`). */
export function localized(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(localized);
  const entries = Object.entries(value).map(([name, part]) => [name, localized(part)]);
  return { ...Object.fromEntries(entries), ...value.translations?.[document.documentElement.lang] };
}
