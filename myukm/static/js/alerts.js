import { on } from "./stream.js";
import { toast } from "./toast.js";

const TONES = { broken: "bad", error: "bad", warning: "wait" };

export function startAlerts() {
  on("alert", ({ level, message, resolved }) =>
    toast(message, resolved ? "good" : (TONES[level] ?? "neutral")),
  );
}
