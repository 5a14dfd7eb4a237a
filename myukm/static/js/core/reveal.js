/** Lets a password be seen while its button is pressed in; what is sent was hidden again before, so
 * that browsers take it for a password. */
export function startReveals() {
  for (const button of document.querySelectorAll("[data-reveal]")) {
    const field = document.getElementById(button.getAttribute("aria-controls"));
    const show = (shown) => {
      field.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
    };
    button.hidden = false;
    button.addEventListener("click", () => show(field.type === "password"));
    field.form.addEventListener("submit", () => show(false));
  }
}
