/** The registration of the service worker, ready for use; null where the browser has none. */
export async function registration() {
  if (!navigator.serviceWorker) return null;
  try {
    await navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" });
    return await navigator.serviceWorker.ready;
  } catch (error) {
    console.info(error.message);
    return null;
  }
}
