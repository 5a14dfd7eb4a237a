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

/** The id in the page's address, if its hash names a message (#pesan-12); otherwise undefined. */
export const addressedMessage = () => ANCHOR.exec(location.hash)?.[1];

/** Opens the dialog `id` and resolves to the text of its `field`, "" when it was cancelled. */
async function promptText(id, field, text) {
  const input = document.getElementById(field);
  input.value = text;
  showCount(input);
  return (await confirmed(id)) ? input.value.trim() : "";
}

/** Returns `use(name, element)`, which runs an action, `react(emoji, element)`, which toggles an
 * emoji, and `unpin()`. All show their errors. */
export function messageActions({ url, timeline, outbox, goTo, reply, reading }) {
  const addressOf = ({ id }) => `${url}/messages/${id}`;
  const unsent = new Map();

  /** Opens a dialog for a text and sends the text. If that failed, the text is in the dialog again
   * when it opens the next time. */
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
    quoted: ({ message }) => goTo(message.reply_to.id),
    edit: ({ message }) =>
      promptAndSend("edit", message, message.message, async (text) =>
        timeline.change(await api.patch(addressOf(message), { message: text })),
      ),
    async delete({ message }) {
      if (!(await confirmed("confirm-delete"))) return;
      await api.remove(addressOf(message));
      timeline.change({ ...message, message: "", deleted: true, files: [] });
    },
    report: ({ message }) =>
      promptAndSend("report", message, "", async (reason) => {
        await api.post(`${addressOf(message)}/report`, { reason });
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
      const resume = await reading.pause(); // a later report would undo the mark
      try {
        await api.post(`${addressOf(message)}/unread`);
      } catch (error) {
        resume();
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
      const address = `${addressOf(message)}/reactions/${encodeURIComponent(emoji)}`;
      const call = isOn(message, emoji) ? api.remove(address) : api.put(address);
      notifyErrors(call.then((answer) => timeline.react({ message_id: message.id, ...answer })));
    },
    unpin: () => notifyErrors(api.post(`${url}/unpin`)),
  };
}
