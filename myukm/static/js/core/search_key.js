// The key "/" focuses the search field. On a narrow screen, which shows only a link to the search
// page, it opens that page.

const TYPING = "input, textarea, select, [contenteditable]";

export function startSearchKey() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest(TYPING) || document.querySelector("dialog[open]")) return;
    const search = [...document.querySelectorAll("[data-search]")].find((each) =>
      each.checkVisibility(),
    );
    if (!search) return;
    event.preventDefault();
    if (search.matches("a")) search.click();
    else search.select();
    search.focus();
  });
}
