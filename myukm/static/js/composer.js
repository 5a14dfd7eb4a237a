import { keep, local, read } from "./storage.js";

/** The field below the messages: keeps its draft, sends on Enter where there is a keyboard. */
export function startComposer(form, draftKey, { send, typing }) {
  const field = form.elements.message;
  const hasKeyboard = matchMedia("(pointer: fine)");

  function submit() {
    const text = field.value.trim();
    if (!text) return;
    send(text);
    field.value = "";
    keep(local, draftKey, null);
    field.focus();
  }

  field.value = read(local, draftKey, "");
  field.addEventListener("input", () => {
    keep(local, draftKey, field.value || null);
    if (field.value.trim()) typing();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !hasKeyboard.matches)
      return;
    event.preventDefault();
    submit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}
