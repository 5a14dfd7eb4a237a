// Runs before all modules: holds back a form with data-confirm that is sent before dialog.js has
// loaded. dialog.js then asks its question.
(() => {
  let pending = null;
  window.pendingSubmit = () => pending;
  window.deferSubmit = (event) => {
    if (!event.target.dataset.confirm) return;
    event.preventDefault();
    pending = event.target;
  };
  document.addEventListener("submit", window.deferSubmit);
})();
