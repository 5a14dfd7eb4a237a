// Runs before the first paint, so that a chosen theme never flashes past the other one.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // The browser forbids the store: the system's theme stays.
  }
})();
