/** Removes what the last account left on this device: its notifications and the number on the icon,
 * and with `unsubscribe` the browser's push subscription. A step that fails keeps no other from being
 * done; afterwards the promise rejects with what failed. */
export async function clearDevice(unsubscribe) {
  const registration = navigator.serviceWorker?.getRegistration();
  const steps = [navigator.clearAppBadge?.(), closeNotifications(registration)];
  if (unsubscribe) steps.push(endSubscription(registration));
  const results = await Promise.allSettled(steps);
  const reasons = results.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
  if (reasons.length > 0) throw new AggregateError(reasons, reasons.join("; "));
}

async function closeNotifications(registration) {
  const shown = await (await registration)?.getNotifications();
  for (const notification of shown ?? []) notification.close();
}

async function endSubscription(registration) {
  const subscription = await (await registration)?.pushManager?.getSubscription();
  await subscription?.unsubscribe();
}
