/** Shows a button that opens the print dialog; without JavaScript, where it would do nothing, it stays
 * hidden. */
export default function mount(button) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
