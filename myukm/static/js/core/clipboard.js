/** Copies a text. Over plain http browsers have no `navigator.clipboard`; there the old command
 * copies a selection. Rejects where neither is allowed. */
export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  Object.assign(field, { value: text, className: "visually-hidden" });
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error(text);
}
