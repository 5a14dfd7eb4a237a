/** Opens the <details> that a link leads to, and its first field gets the focus. */
export default function mount(link) {
  link.addEventListener("click", () => {
    const details = document.querySelector(link.hash);
    details.open = true;
    details.querySelector("input").focus();
  });
}
