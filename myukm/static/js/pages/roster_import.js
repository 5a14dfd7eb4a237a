// Polls an import that a job is doing, and shows its result when it is done.

import { get } from "../core/api.js";
import { poll } from "../core/poll.js";

export default function startRosterImport(root) {
  const bar = root.querySelector("progress");
  let isDone = false;
  const request = async () => {
    // A newer upload of this person, for example in another tab, deletes the import.
    const state = await get(location.pathname).catch(({ status }) => (status === 404 ? {} : null));
    if (state?.done) bar.value = Math.min(state.done, bar.max);
    isDone = state !== null && state.status !== root.dataset.status;
    if (isDone) location.reload();
    return state !== null;
  };
  poll(() => !isDone, request);
}
