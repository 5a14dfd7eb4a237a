// Runs before anything else: a form with a question before it waits for dialog.js, which asks it.
(() => {
  let held = null;
  window.heldForm = () => held;
  window.holdForm = (event) => {
    if (!event.target.dataset.confirm) return;
    event.preventDefault();
    held = event.target;
  };
  document.addEventListener("submit", window.holdForm);
})();
