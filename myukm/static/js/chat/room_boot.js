// Runs before all modules: the first screen shows the first unread message, or the end, at once, and
// what is sent already waits for composer.js.
(() => {
  const box = document.getElementById("timeline");
  const unread = box.querySelector(".message-new:not([hidden])");
  if (unread) unread.scrollIntoView({ block: "start" });
  else box.scrollTop = box.scrollHeight;
  document.getElementById("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    event.target.dataset.sent = "";
  });
})();
