// Runs before the first paint, so that the other theme never flashes up before the chosen one.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // The browser forbids the store: the system's theme stays.
  }
})();
