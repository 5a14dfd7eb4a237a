// The browser's notifications. Phones accept them from a service worker only; without one (plain
// http) the page itself shows them.

import { registration } from "./registration.js";

/** Whether the person has allowed notifications in this browser. */
export const allowed = () => window.Notification?.permission === "granted";

/** Asks for the permission and returns whether it was given. */
export async function ask() {
  if (!window.Notification) return false;
  return (await Notification.requestPermission()) === "granted";
}

/** Shows a notification that opens `path`, in place of an older one with the same `tag`. `id` is
 * the number of its newest event: it does not ring if the shown one has the same event, and is not
 * shown if that one has a later event. Rejects when the browser refuses. */
export async function show(title, body, tag, { path, id }) {
  const worker = await registration();
  const shown = worker ? await worker.getNotifications({ tag }) : [];
  if (shown.some(({ data }) => data?.id > id)) return;
  const renotify = !shown.some(({ data }) => data?.id === id);
  const options = { body, tag, renotify, data: { path, id } };
  if (worker) {
    await worker.showNotification(title, options);
    return;
  }
  const notification = new Notification(title, options);
  notification.addEventListener("click", () => {
    notification.close();
    window.open(path, tag)?.focus();
  });
}
