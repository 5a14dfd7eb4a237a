// Sentences that the server stored or published once, in the reader's language.

/** The value with each object in the page's language: objects are in the campus's language, and have the
 * other ones in `translations` (`myukm/sentences.py`). */
export function localized(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(localized);
  const entries = Object.entries(value).map(([name, part]) => [name, localized(part)]);
  return { ...Object.fromEntries(entries), ...value.translations?.[document.documentElement.lang] };
}
