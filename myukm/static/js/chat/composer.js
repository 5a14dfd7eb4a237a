import { showCount } from "../core/character_count.js";
import { fillSlots } from "../core/dom.js";
import { bidiIsolate, t } from "../core/i18n.js";
import { Draft } from "./draft.js";

/** Starts the field below the messages: it stores its draft and the message that it answers, and
 * sends on Enter where there is a keyboard. `keys(event)` returns whether something else, such as
 * the list of names, took the key; `editLast(event)` follows an arrow up in the empty field. */
export function startComposer(form, room, { send, typing, keys, editLast, hasFiles }) {
  const field = form.elements.message;
  const bar = document.getElementById("replying");
  const hasKeyboard = matchMedia("(pointer: fine)");
  const draft = new Draft(room);

  function showReply() {
    const { reply_to: quoted } = draft.value;
    bar.hidden = !quoted;
    if (!quoted) return;
    fillSlots(bar, {
      name: t("replying", { name: bidiIsolate(quoted.name) }),
      text: quoted.message,
    });
  }

  function reply(quoted) {
    draft.save({ reply_to: quoted });
    showReply();
    field.focus();
  }

  function submit() {
    const text = field.value.trim();
    if (!text && !hasFiles()) return;
    send(text, draft.value.reply_to);
    field.value = "";
    showCount(field);
    draft.save({ text: "", reply_to: null });
    showReply();
    field.focus();
  }

  function showDraft() {
    field.value = draft.value.text;
    showCount(field);
    showReply();
  }

  if (field.value) draft.save({ text: field.value }); // written before this script was there
  showDraft();
  draft.adopt().then((adopted) => adopted && showDraft());
  bar.querySelector("button").addEventListener("click", () => reply(null));
  field.addEventListener("input", () => {
    draft.save({ text: field.value });
    if (field.value.trim()) typing();
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || keys(event)) return;
    if (event.key === "Escape" && draft.value.reply_to) reply(null);
    if (event.key === "ArrowUp" && !field.value) editLast(event);
    if (event.key !== "Enter" || event.shiftKey || !hasKeyboard.matches) return;
    event.preventDefault();
    form.requestSubmit(); // which checks the field first
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  if ("sent" in form.dataset) submit();
  return { reply };
}
