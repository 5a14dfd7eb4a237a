// localStorage and sessionStorage (the areas `local` and `session`). A browser may forbid them, or
// they may be full; the page works without them.

/** The stored value of `key`; `fallback` without one, or where the browser forbids the area. */
export function read(area, key, fallback = null) {
  try {
    const text = area().getItem(key);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

/** Stores `value` as JSON, null removes the key; returns false where it could not be stored. */
export function write(area, key, value) {
  try {
    if (value === null) area().removeItem(key);
    else area().setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

export const local = () => window.localStorage;
export const session = () => window.sessionStorage;
