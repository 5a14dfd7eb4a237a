/** Shows a password while its button is pressed in, and hides it again before the form is sent,
 * because browsers offer to save only hidden passwords. */
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
