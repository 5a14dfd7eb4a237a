// After a time without the stream the room asks for what it missed.

import * as api from "./api.js";
import { watchConnection } from "./connection.js";
import { on } from "./stream.js";

const PAGE = 100;

export function startCatchingUp({ url, timeline, presence, room, outbox, readSoon }) {
  async function catchUp() {
    let page;
    do {
      page = await api.get(`${url}/messages?after=${timeline.lastTold}&limit=${PAGE}`);
      timeline.tell(page.messages);
    } while (page.messages.length === PAGE);
    readSoon();
  }

  /** Who came and went meanwhile; the stream itself tells only who is here. */
  async function callRoll() {
    presence.load(await api.get(`${url}/online`));
  }

  /** After a gap that cannot be replayed: edits and deletions of the newest page, too. */
  async function reload() {
    await catchUp();
    const { messages: newest } = await api.get(`${url}/messages?limit=${PAGE}`);
    newest.forEach((message) => timeline.change(message));
    await Promise.all([callRoll(), room.ask()]);
  }

  /** A try that fails now is made again when the stream next opens. */
  const quietly = (task) => () => task().catch((error) => console.info(error.message));

  on("reset", quietly(reload));
  watchConnection(document.getElementById("offline"), () => {
    outbox.flush();
    quietly(catchUp)();
    quietly(callRoll)();
  });
}
