const PAUSE_MS = 5000;

/** Whether a retry may succeed: no response, session over, rate limit, or an error of the
 * server. */
export function isTransient({ status }) {
  return status === 0 || status === 401 || status === 429 || status >= 500;
}

/** Makes a function that runs `task` and never rejects. After a transient error it runs `task`
 * again, 5 s later or at the next call. */
export function retried(task) {
  let timer;
  return async function run() {
    clearTimeout(timer);
    try {
      await task();
    } catch (error) {
      console.info(error.message);
      if (isTransient(error)) timer = setTimeout(run, PAUSE_MS);
    }
  };
}
