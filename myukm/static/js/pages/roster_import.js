// Follows an import that a job works on, and shows its result when it is done.

import { get } from "../core/api.js";

const PAUSE_MS = 1000;

export default function startRosterImport(root) {
  const bar = root.querySelector("progress");
  const follow = async () => {
    const state = await get(location.pathname).catch(() => null);
    if (state && state.status !== root.dataset.status) {
      location.reload();
      return;
    }
    if (state?.done) bar.value = Math.min(state.done, bar.max);
    setTimeout(follow, PAUSE_MS);
  };
  setTimeout(follow, PAUSE_MS);
}
