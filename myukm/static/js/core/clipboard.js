/** Copies a text. Without `navigator.clipboard`, which browsers have only over https, or if it is
 * not allowed, the old command copies a selection. If that fails, too, rejects with the text itself as
 * message, so that a toast shows it for copying by hand. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copySelection(text);
  }
}

function copySelection(text) {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  Object.assign(field, { value: text, className: "visually-hidden" });
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus({ preventScroll: true });
  if (!done) throw new Error(text);
}
