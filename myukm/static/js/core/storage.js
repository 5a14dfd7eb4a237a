// localStorage and sessionStorage. A browser may forbid them, or they may be full. The page works
// without them: `read` then returns `fallback`, `write` false.

export function read(area, key, fallback = null) {
  try {
    const text = area().getItem(key);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

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
