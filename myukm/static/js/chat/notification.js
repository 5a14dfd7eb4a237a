// The browser's notifications. Phones accept them from a service worker only; without one (plain
// http) the page itself shows them.

async function worker() {
  try {
    await navigator.serviceWorker.register("/service-worker.js");
    return await navigator.serviceWorker.ready;
  } catch (error) {
    console.info(error.message);
    return null;
  }
}

/** Whether the person has given the permission. */
export const allowed = () => window.Notification?.permission === "granted";

/** Asks for the permission and returns whether it was given. */
export async function ask() {
  if (!window.Notification) return false;
  const answer = await Notification.requestPermission();
  if (answer === "granted") await worker();
  return answer === "granted";
}

/** Shows a notification that opens `path`. A later one with the same tag replaces it. */
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
