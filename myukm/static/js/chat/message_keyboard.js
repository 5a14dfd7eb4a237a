// Keyboard navigation: arrow keys move between messages, Enter opens the menu of the focused one.

import { after, before } from "./chunked_list.js";

const MODIFIERS = ["Alt", "Control", "Meta", "Shift"];

/** `open(element)` opens the menu of a message. */
export function startMessageKeys(timeline, open) {
  const { box, list } = timeline;

  const focusedMessage = () => document.activeElement.closest?.(".message");

  function next({ key }) {
    const focused = focusedMessage();
    if (key === "ArrowUp") return focused ? before(focused) : list.last;
    if (key === "ArrowDown") return focused && after(focused);
    if (key === "Home") return list.first;
    if (key === "End") return list.last;
    return null;
  }

  box.addEventListener("keydown", (event) => {
    // With a modifier a key is the browser's, for example to extend a selection.
    const isModified = MODIFIERS.some((key) => event.getModifierState(key));
    if (isModified || event.target.closest("a, button")) return;
    const to = next(event);
    if (to) {
      event.preventDefault();
      to.focus({ preventScroll: true });
      to.scrollIntoView({ block: "nearest" });
    } else if (["Enter", " ", "ContextMenu"].includes(event.key) && focusedMessage()) {
      event.preventDefault();
      open(focusedMessage());
    }
  });
}
