const PAUSE_MS = 5000;

/** Whether a retry can help: no answer, session over, too fast, or an error of the server. */
export function isPassing({ status }) {
  return status === 0 || status === 401 || status === 429 || status >= 500;
}

/** `task` as a function that never rejects: a failure that passes is tried again, unless it is called
 * anew before. */
export function retried(task) {
  let timer;
  return async function run() {
    clearTimeout(timer);
    try {
      await task();
    } catch (error) {
      console.info(error.message);
      if (isPassing(error)) timer = setTimeout(run, PAUSE_MS);
    }
  };
}
