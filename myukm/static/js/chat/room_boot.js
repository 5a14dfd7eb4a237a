// Runs before all modules: the first screen shows the first unread message, or the end, at once.
(() => {
  const box = document.getElementById("timeline");
  const unread = box.querySelector(".message-new:not([hidden])");
  if (unread) unread.scrollIntoView({ block: "start" });
  else box.scrollTop = box.scrollHeight;
})();
