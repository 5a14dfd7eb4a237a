// A page without elements: texts, language, time zone, account and localStorage.

/** Sets `document` and `window`, and returns the storage; `strings` are the page's texts by key. */
export function makePage({ lang = "id", dataset = {}, strings = {} } = {}) {
  const stored = new Map();
  globalThis.document = {
    documentElement: { lang, dataset: { timezone: "Asia/Jakarta", account: "7", ...dataset } },
    getElementById: (id) => (id === "strings" ? { textContent: JSON.stringify(strings) } : null),
  };
  globalThis.window = {
    localStorage: {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => stored.set(key, String(value)),
      removeItem: (key) => stored.delete(key),
    },
  };
  return stored;
}
