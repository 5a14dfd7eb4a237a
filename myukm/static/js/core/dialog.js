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

/** Asks before a form with data-confirm is sent. Takes over from confirm_boot.js, with the form that it
 * held back. */
export function startConfirms() {
  let agreed = null;
  document.removeEventListener("submit", window.deferSubmit);
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const dialogId = form !== agreed && window.asksFirst(form);
    if (!dialogId) return;
    event.preventDefault();
    if (!(await confirmed(dialogId))) return;
    if (!form.isConnected) stayHidden(form);
    agreed = form;
    form.requestSubmit();
    agreed = null;
  });
  window.pendingSubmit()?.requestSubmit();
}

/** Returns a form to the page, whose part was reloaded while the dialog was open: browsers send no
 * other one. */
function stayHidden(form) {
  form.hidden = true;
  document.body.append(form);
}
