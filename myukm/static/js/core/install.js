// Shows the buttons with data-install where the browser can install the site as an app. The
// browser's own prompt opens only when such a button is pressed.

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
