/** Lets a link open the <details> that it leads to, and focus its first field. */
export default function mount(link) {
  link.addEventListener("click", () => {
    const details = document.querySelector(link.hash);
    details.open = true;
    details.querySelector("input").focus();
  });
}
