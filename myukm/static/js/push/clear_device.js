/** Removes what the last account left on this device: its notifications and the number on the icon,
 * and with `unsubscribe` the browser's push subscription. */
export async function clearDevice(unsubscribe) {
  await navigator.clearAppBadge?.();
  const registration = await navigator.serviceWorker?.getRegistration();
  if (!registration) return;
  for (const notification of await registration.getNotifications()) notification.close();
  if (unsubscribe) await (await registration.pushManager?.getSubscription())?.unsubscribe();
}
