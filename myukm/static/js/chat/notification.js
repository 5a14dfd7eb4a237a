// A notification of the browser. Phones take one from a service worker only; where there is none
// (plain http), the page shows it itself.

async function worker() {
  try {
    await navigator.serviceWorker.register("/service-worker.js");
    return await navigator.serviceWorker.ready;
  } catch (error) {
    console.info(error.message);
    return null;
  }
}

export const allowed = () => window.Notification?.permission === "granted";

/** Ask for the permission, once the person switched the thing on. */
export async function ask() {
  if (!window.Notification) return false;
  const answer = await Notification.requestPermission();
  if (answer === "granted") await worker();
  return answer === "granted";
}

/** Show it; a touch leads to `path`. A later one with the same tag takes its place. */
export async function show(title, body, tag, path) {
  const options = { body, tag, renotify: true, data: path };
  const shown = (await worker())?.showNotification(title, options);
  if (shown) return shown;
  const note = new Notification(title, options);
  note.addEventListener("click", () => {
    note.close();
    window.open(path, tag)?.focus();
  });
}
