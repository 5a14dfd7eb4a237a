// Shows the elements with data-install, each with a button, where the browser can install the site
// as an app. The browser's own prompt opens only when such a button is pressed.

export function startInstall() {
  let offer = null;
  const entries = document.querySelectorAll("[data-install]");
  const show = (isOffered) => {
    for (const entry of entries) entry.hidden = !isOffered;
  };
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offer = event;
    show(true);
  });
  addEventListener("appinstalled", () => show(false));
  for (const entry of entries) {
    entry.addEventListener("click", async () => {
      const asked = offer;
      offer = null; // the browser shows each offer only once
      await asked?.prompt().catch((error) => console.info(error.message));
      document.getElementById("menu").hidePopover(); // gives the focus back to the menu's button
      show(false);
    });
  }
}
