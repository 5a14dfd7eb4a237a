// The actions on a message, by its menu or its buttons.

import * as api from "../core/api.js";
import { showCount } from "../core/character_count.js";
import { copy } from "../core/clipboard.js";
import { confirmed } from "../core/dialog.js";
import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { isOn } from "./reactions.js";

/** The field of each dialog that asks for a text. */
const FIELDS = { edit: "edit-text", report: "report-reason" };
const ANCHOR = /^#pesan-(\d+)$/;
const anchorOf = (id) => `pesan-${id}`;

/** The id of the message to which the page's address leads; undefined when to none. */
export const addressedMessage = () => ANCHOR.exec(location.hash)?.[1];

/** Opens the dialog `id` and resolves to the text of its `field`, "" when it was cancelled. */
async function promptText(id, field, text) {
  const input = document.getElementById(field);
  input.value = text;
  showCount(input);
  return (await confirmed(id)) ? input.value.trim() : "";
}

/** `use(name, element)` runs an action and shows its error; `react` toggles an emoji. */
export function messageActions({ url, timeline, outbox, goTo, reply, reading }) {
  const at = ({ id }) => `${url}/messages/${id}`;
  const unsent = new Map();

  /** Asks for a text and sends it; one that could not be sent is there when it is asked for again. */
  async function promptAndSend(dialog, { id }, old, send) {
    const key = `${dialog} ${id}`;
    const text = await promptText(dialog, FIELDS[dialog], unsent.get(key) ?? old);
    if (!text || text === old) return;
    unsent.set(key, text);
    await send(text);
    unsent.delete(key);
  }

  const actions = {
    reply: ({ message: { id, user_id, name, message } }) =>
      reply({ id, user_id, name, message: message.split("\n")[0] || t("files"), deleted: false }),
    original: ({ message }) => goTo(message.reply_to.id),
    edit: ({ message }) =>
      promptAndSend("edit", message, message.message, async (text) =>
        timeline.change(await api.patch(at(message), { message: text })),
      ),
    async delete({ message }) {
      if (!(await confirmed("confirm-delete"))) return;
      await api.remove(at(message));
      timeline.change({ ...message, message: "", deleted: true, files: [] });
    },
    report: ({ message }) =>
      promptAndSend("report", message, "", async (reason) => {
        await api.post(`${at(message)}/report`, { reason });
        toast(t("reported"), "good");
      }),
    async copy({ message }) {
      await copy(message.message);
      toast(t("copied_text"), "good");
    },
    async link({ message }) {
      await copy(`${location.origin}${url}/chat#${anchorOf(message.id)}`);
      toast(t("copied_link"), "good");
    },
    async unread({ message }) {
      const goOn = await reading.pause(); // a later report would take the mark back
      try {
        await api.post(`${at(message)}/unread`);
      } catch (error) {
        goOn();
        throw error;
      }
      timeline.setFirstUnread(message.id);
      toast(t("marked_unread"), "good");
    },
    pin: ({ message }) => api.post(`${url}/pin`, { message_id: message.id }),
    resend: ({ message }) => outbox.resend(message.client_id),
    discard({ message }) {
      outbox.remove(message.client_id);
      timeline.drop(message.client_id);
    },
  };

  const notifyErrors = (work) => work.catch((error) => toast(error.message, "bad"));

  return {
    use: (name, element) => notifyErrors(Promise.resolve().then(() => actions[name](element))),
    react(emoji, { message }) {
      const address = `${at(message)}/reactions/${encodeURIComponent(emoji)}`;
      const call = isOn(message, emoji) ? api.remove(address) : api.put(address);
      notifyErrors(call.then((answer) => timeline.react({ message_id: message.id, ...answer })));
    },
    unpin: () => notifyErrors(api.post(`${url}/unpin`)),
  };
}
