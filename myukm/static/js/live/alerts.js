import { toast } from "../core/toast.js";
import { on } from "./events_bus.js";

const TONES = { broken: "bad", error: "bad", warning: "wait" };

/** Shows each alert of the stream as a toast. */
export function startAlerts() {
  on("alert", ({ level, message, resolved }) =>
    toast(message, resolved ? "good" : (TONES[level] ?? "neutral")),
  );
}
