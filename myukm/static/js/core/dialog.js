import { fillSlots } from "./dom.js";

/** Opens the page's <dialog id=…> and resolves to whether the person agreed. */
export function confirmed(id, text) {
  const dialog = document.getElementById(id);
  if (text) fillSlots(dialog, { text });
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Forms that carry data-confirm are sent only after their dialog was agreed to. */
export function startConfirms() {
  document.removeEventListener("submit", window.deferSubmit);
  document.addEventListener("submit", async (event) => {
    const { confirm } = event.target.dataset;
    if (!confirm) return;
    event.preventDefault();
    if (await confirmed(confirm)) event.target.submit();
  });
  window.pendingSubmit()?.requestSubmit();
}
