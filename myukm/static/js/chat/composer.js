import { showCount } from "../core/character_count.js";
import { fillSlots } from "../core/dom.js";
import { bidiIsolate, t } from "../core/i18n.js";
import { Draft } from "./draft.js";

/** Lets the field grow with its text in browsers without the CSS property field-sizing. */
function fit(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.blockSize = "auto";
  field.style.blockSize = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}

/** Starts the field below the messages: it stores the draft and the quoted message under the key
 * `room`, and sends on Enter where there is a keyboard. `send(text, replyTo)` is called before the
 * draft is emptied, so that a crash between loses nothing; `typing()` for each change; `keys(event)`
 * returns whether something else, such as the list of names, handled the key; `editLast(event)` is
 * called for an arrow up in the empty field; `hasFiles()` returns whether files are chosen. Returns
 * the draft, and `reply(message)`, which quotes a message. */
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

  function setText(text) {
    field.value = text;
    showCount(field);
    fit(field);
  }

  function reply(quoted) {
    draft.save({ reply_to: quoted });
    showReply();
    field.focus();
  }

  function showDraft() {
    setText(draft.value.text);
    showReply();
  }

  function submit() {
    const text = field.value.trim();
    if (!text && !hasFiles()) return;
    send(text, draft.value.reply_to);
    draft.save({ text: "", reply_to: null });
    showDraft();
    field.focus();
  }

  if (field.value) draft.save({ text: field.value }); // typed before this script ran
  showDraft();
  draft.adopted.then((adopted) => adopted && showDraft());
  bar.querySelector("button").addEventListener("click", () => reply(null));
  field.addEventListener("input", () => {
    fit(field);
    draft.save({ text: field.value });
    if (field.value.trim()) typing();
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || keys(event)) return;
    if (event.key === "Escape" && draft.value.reply_to) reply(null);
    if (event.key === "ArrowUp" && !field.value) editLast(event);
    if (event.key !== "Enter" || event.shiftKey || !hasKeyboard.matches) return;
    event.preventDefault();
    form.requestSubmit(); // which validates the field first
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  if ("sent" in form.dataset) submit();
  return { draft, reply };
}
