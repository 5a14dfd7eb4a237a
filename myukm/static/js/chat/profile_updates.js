// A person in the room has another photo, or no name any more: what they said shows it at once.

import { on } from "../live/events_bus.js";
import { show, showQuote } from "./message_view.js";

const list = document.getElementById("messages");

function applyProfile({ user_id: id, name, photo }) {
  for (const element of list.querySelectorAll(".message")) {
    const { message } = element;
    if (message?.user_id === id) show({ ...message, name, photo }, element);
    if (message?.reply_to?.user_id === id) {
      element.message = { ...element.message, reply_to: { ...message.reply_to, name } };
      showQuote(element, element.message);
    }
  }
}

on("chat.person", applyProfile);
