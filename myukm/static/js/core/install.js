// Offers to install the site as an app, where the browser offers it: the buttons with data-install
// appear, and nothing pops up by itself.

/** Starts the buttons. */
export function startInstall() {
  let offer = null;
  const buttons = document.querySelectorAll("[data-install]");
  const show = (isOffered) => {
    for (const button of buttons) button.hidden = !isOffered;
  };
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offer = event;
    show(true);
  });
  addEventListener("appinstalled", () => show(false));
  for (const button of buttons) {
    button.addEventListener("click", async () => {
      show(false);
      await offer?.prompt();
      offer = null;
    });
  }
}
