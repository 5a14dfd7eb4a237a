// Runs before the page is shown: holds back what is sent before the modules have loaded. dialog.js then
// asks the question of a form with data-confirm, composer.js sends a message.
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
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "composer") return;
    event.preventDefault();
    event.target.dataset.sent = "";
  });
})();
