// Runs before the page is shown: holds back forms that are submitted before the modules have
// loaded. Then dialog.js opens the dialog of a form with data-confirm, and composer.js sends a
// message.
(() => {
  let pending = null;
  // The id of the dialog to which a person must agree before `form` is sent, null for no dialog.
  // With data-confirm-when="role=admin" the dialog opens only if the field `role` is "admin".
  window.dialogFor = (form) => {
    const { confirm, confirmWhen } = form.dataset;
    const [name, value] = confirmWhen?.split("=") ?? [];
    return confirm && (!name || new FormData(form).get(name) === value) ? confirm : null;
  };
  window.pendingSubmit = () => pending;
  window.deferSubmit = (event) => {
    if (!window.dialogFor(event.target)) return;
    event.preventDefault();
    pending = event.target;
  };
  document.addEventListener("submit", window.deferSubmit);
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "composer") return;
    event.preventDefault();
    event.target.dataset.sent = "";
  });
})();
