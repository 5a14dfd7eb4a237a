import { fillSlots } from "./dom.js";

/** Opens the dialog `dialogId`, with `text` if given, and resolves to whether the person agreed. */
export function confirmed(dialogId, text) {
  const dialog = document.getElementById(dialogId);
  if (text) fillSlots(dialog, { text });
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Opens the dialog of a form with data-confirm before it is sent, with the text in data-confirm-text
 * if the form has one. Replaces confirm_boot.js, and submits the form that confirm_boot.js held back. */
export function startConfirms() {
  let agreed = null;
  document.removeEventListener("submit", window.deferSubmit);
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const dialogId = form !== agreed && window.dialogFor(form);
    if (!dialogId) return;
    event.preventDefault();
    if (!(await confirmed(dialogId, form.dataset.confirmText))) return;
    if (!form.isConnected) attachHidden(form);
    agreed = form;
    form.requestSubmit();
    agreed = null;
  });
  window.pendingSubmit()?.requestSubmit();
}

/** Puts a form back, hidden, if a partial reload (partial_reload.js) removed it while the dialog was
 * open, because browsers send only forms that are in the page. */
function attachHidden(form) {
  form.hidden = true;
  document.body.append(form);
}
