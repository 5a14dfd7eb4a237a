/** Lets a link open the <details> that it leads to, and focus its first field. */
export default function mount(link) {
  link.addEventListener("click", (event) => {
    event.preventDefault(); // following the link would take the focus from the field
    const details = document.querySelector(link.hash);
    details.open = true;
    details.scrollIntoView();
    details.querySelector("input").focus();
  });
}
