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

/** Sends a form with data-confirm only after its dialog was agreed to; the one that
 * confirm_boot.js held back comes first. */
export function startConfirms() {
  let agreed = null;
  document.removeEventListener("submit", window.deferSubmit);
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const confirm = form !== agreed && window.asksFirst(form);
    if (!confirm) return;
    event.preventDefault();
    if (!(await confirmed(confirm))) return;
    agreed = form;
    form.requestSubmit();
    agreed = null;
  });
  window.pendingSubmit()?.requestSubmit();
}
