// Runs before anything else: a form with a question before it waits for dialog.js, which asks it.
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
