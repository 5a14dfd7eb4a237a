// Ctrl+/ focuses the search field. On a narrow screen, which shows only a link to the search page, it
// opens that page. A key alone would need a switch (WCAG 2.1.4), because dictation software may press
// keys for spoken words.

export function startSearchKey() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || !event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
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
