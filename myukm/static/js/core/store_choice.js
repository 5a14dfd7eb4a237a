import * as api from "./api.js";
import { toast } from "./toast.js";

/** Stores a choice on the server. Shows the error and resolves to false if that failed. */
export async function storeChoice(url, choice) {
  try {
    await api.put(url, choice);
    return true;
  } catch (error) {
    toast(error.message, "bad");
    return false;
  }
}
