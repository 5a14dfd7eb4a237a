import { showCount } from "../core/character_count.js";
import { fillSlots } from "../core/dom.js";
import { bidiIsolate, t } from "../core/i18n.js";
import { local, read, write } from "../core/storage.js";

/** Starts the field below the messages: it stores its draft and the message that it answers, and
 * sends on Enter where there is a keyboard. `keys(event)` returns whether something else, such as
 * the list of names, took the key; `editLast(event)` follows an arrow up in the empty field. */
export function startComposer(form, draftKey, { send, typing, keys, editLast }) {
  const field = form.elements.message;
  const bar = document.getElementById("replying");
  const hasKeyboard = matchMedia("(pointer: fine)");
  let draft = { text: "", reply_to: null, ...read(local, draftKey) };

  function save(change) {
    draft = { ...draft, ...change };
    write(local, draftKey, draft.text || draft.reply_to ? draft : null);
  }

  function showReply() {
    const { reply_to: quoted } = draft;
    bar.hidden = !quoted;
    if (!quoted) return;
    fillSlots(bar, {
      name: t("replying", { name: bidiIsolate(quoted.name) }),
      text: quoted.message,
    });
  }

  function reply(quoted) {
    save({ reply_to: quoted });
    showReply();
    field.focus();
  }

  function submit() {
    const text = field.value.trim();
    if (!text) return;
    send(text, draft.reply_to);
    field.value = "";
    showCount(field);
    save({ text: "", reply_to: null });
    showReply();
    field.focus();
  }

  field.value = draft.text;
  showCount(field);
  showReply();
  bar.querySelector("button").addEventListener("click", () => reply(null));
  field.addEventListener("input", () => {
    save({ text: field.value });
    if (field.value.trim()) typing();
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || keys(event)) return;
    if (event.key === "Escape" && draft.reply_to) reply(null);
    if (event.key === "ArrowUp" && !field.value) editLast(event);
    if (event.key !== "Enter" || event.shiftKey || !hasKeyboard.matches) return;
    event.preventDefault();
    form.requestSubmit(); // which checks the field first
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  return { reply };
}
