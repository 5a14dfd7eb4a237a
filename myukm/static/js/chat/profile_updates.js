// A changed photo or a deleted account shows at once on the person's earlier messages and in the list
// of members.

import { on } from "../live/events_bus.js";
import { show, showQuote } from "./message_view.js";

function applyProfile(list, { user_id: id, name, photo }) {
  for (const element of list.querySelectorAll(".message")) {
    const { message } = element;
    if (message?.user_id === id) show({ ...message, name, photo }, element);
    if (message?.reply_to?.user_id === id) {
      element.message = { ...element.message, reply_to: { ...message.reply_to, name } };
      showQuote(element, element.message);
    }
  }
}

/** Applies profile changes to the messages in `list` and to the members in `presence`. */
export function startProfileUpdates(list, presence) {
  on("chat.person", (profile) => {
    applyProfile(list, profile);
    presence.updateName(profile);
  });
}
