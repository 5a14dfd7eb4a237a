// Runs before all modules: holds back a form with data-confirm that is sent before dialog.js has
// loaded. dialog.js then asks its question.
(() => {
  let pending = null;
  // data-confirm-when="role=admin": the dialog is only for that choice.
  window.asksFirst = (form) => {
    const { confirm, confirmWhen } = form.dataset;
    const [name, value] = confirmWhen?.split("=") ?? [];
    return confirm && (!name || new FormData(form).get(name) === value) ? confirm : null;
  };
  window.pendingSubmit = () => pending;
  window.deferSubmit = (event) => {
    if (!window.asksFirst(event.target)) return;
    event.preventDefault();
    pending = event.target;
  };
  document.addEventListener("submit", window.deferSubmit);
})();
