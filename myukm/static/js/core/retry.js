const PAUSE_MS = 5000;

/** Whether a retry can help: no answer, session over, rate limit, or an error of the server. */
export function isPassing({ status }) {
  return status === 0 || status === 401 || status === 429 || status >= 500;
}

/** Makes `task` a function that never rejects. After a failure that may pass it runs again, 5 s later or
 * at the next call. */
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
