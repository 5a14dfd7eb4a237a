import * as api from "./api.js";
import { toast } from "./toast.js";

/** The newest call of each URL. */
const newest = new Map();

/** Stores a choice on the server, after the earlier ones of the same URL, because the server may
 * handle two requests in either order. Shows the error and resolves to false if that failed, and
 * to null if there is a newer choice by then. */
export async function storeChoice(url, choice) {
  const call = (newest.get(url) ?? Promise.resolve()).then(() => stored(url, choice));
  newest.set(url, call);
  const result = await call;
  return newest.get(url) === call ? result : null;
}

async function stored(url, choice) {
  try {
    await api.put(url, choice);
    return true;
  } catch (error) {
    toast(error.message, "bad");
    return false;
  }
}
