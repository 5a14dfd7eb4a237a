/** Submits a form of filters as soon as a choice is made by pointer. On the keyboard each arrow key
 * makes a choice, so there only the button submits the form. */
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
