// The keyboard among the messages: arrows choose one, Enter opens its menu.

/** `open(element)` shows a message's menu. */
export function startMessageKeys(timeline, open) {
  const { box, list } = timeline;

  const chosen = () => document.activeElement.closest?.(".message");

  function next({ key }) {
    const at = chosen();
    if (key === "ArrowUp") return at ? at.previousElementSibling : list.lastElementChild;
    if (key === "ArrowDown") return at?.nextElementSibling;
    if (key === "Home") return list.firstElementChild;
    if (key === "End") return list.lastElementChild;
    return null;
  }

  box.addEventListener("keydown", (event) => {
    if (event.target.closest("a, button")) return;
    const to = next(event);
    if (to) {
      event.preventDefault();
      to.focus({ preventScroll: true });
      to.scrollIntoView({ block: "nearest" });
    } else if (["Enter", " ", "ContextMenu"].includes(event.key) && chosen()) {
      event.preventDefault();
      open(chosen());
    }
  });
}
