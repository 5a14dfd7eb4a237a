// After a time without the stream the room asks for what it missed.

import * as api from "../core/api.js";
import { on } from "../live/events_bus.js";
import { watchConnection } from "../live/offline_banner.js";

const PAGE = 100;

export function startResync({ url, timeline, presence, room, outbox, readSoon }) {
  async function catchUp() {
    let page;
    do {
      page = await api.get(`${url}/messages?after=${timeline.lastServerId}&limit=${PAGE}`);
      timeline.addFromServer(page.messages);
    } while (page.messages.length === PAGE);
    readSoon();
  }

  /** Who came and went meanwhile; the stream itself tells only who is here. */
  async function loadPresence() {
    presence.load(await api.get(`${url}/online`));
  }

  /** After a gap that cannot be replayed: edits and deletions of the newest page, too. */
  async function reload() {
    await catchUp();
    const { messages: newest } = await api.get(`${url}/messages?limit=${PAGE}`);
    newest.forEach((message) => timeline.change(message));
    await Promise.all([loadPresence(), room.ask()]);
  }

  /** A try that fails now is made again when the stream next opens. */
  const ignoreErrors = (task) => () => task().catch((error) => console.info(error.message));

  on("reset", ignoreErrors(reload));
  watchConnection(document.getElementById("offline"), () => {
    outbox.flush();
    ignoreErrors(catchUp)();
    ignoreErrors(loadPresence)();
  });
}
