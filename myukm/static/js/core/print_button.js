/** A button that asks for the printer. It is hidden until this has loaded, because without
 * JavaScript it would do nothing. */
export default function mount(button) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
