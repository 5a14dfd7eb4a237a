/** Sends a form of filters as soon as a choice is made by pointer. By keyboard each arrow key would
 * be a choice, so there the button sends it. */
export default function mount(form) {
  let byKeyboard = false;
  form.addEventListener("keydown", () => {
    byKeyboard = true;
  });
  form.addEventListener("pointerdown", () => {
    byKeyboard = false;
  });
  form.addEventListener("change", ({ target }) => {
    if (target.matches("select") && !byKeyboard) form.requestSubmit();
  });
}
