// The chat page of one UKM: makes its parts and connects them.

import { accountId } from "../core/account.js";
import * as api from "../core/api.js";
import { data } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { on } from "../live/events_bus.js";
import { Attachments } from "./attachments.js";
import { startComposer } from "./composer.js";
import { startHistoryLoader } from "./history_loader.js";
import { startLightbox } from "./lightbox.js";
import { MentionAutocomplete } from "./mention_autocomplete.js";
import { addressedMessage, messageActions } from "./message_actions.js";
import { startMessageKeys } from "./message_keyboard.js";
import { MessageMenu } from "./message_menu.js";
import { isMine } from "./message_view.js";
import { suggest } from "./name_cache.js";
import { NewerLoader } from "./newer_loader.js";
import { startNotificationSettings } from "./notification_settings.js";
import { Presence } from "./presence.js";
import { startProfileUpdates } from "./profile_updates.js";
import { startReading } from "./read_marker.js";
import { startResync } from "./resync.js";
import { makeOutbox, showPictures } from "./room_outbox.js";
import { startSavingRoom } from "./saved_messages.js";
import { Timeline } from "./timeline.js";
import { Typing } from "./typing.js";
import { UkmState } from "./ukm_state.js";
import { startUnreadBar } from "./unread_bar.js";

const MAX_NAMES = 8;
const part = (id) => document.getElementById(id);

export default function startRoom(root) {
  const room = new Room(root);
  room.showMessages(data("message-page"));
  room.startWriting();
  room.startActions();
  room.listen();
  room.outbox.flush();
  room.followAddress();
}

class Room {
  constructor(root) {
    Object.assign(this, root.dataset); // url, code, authorName, unread, firstUnread, newerLeft
    this.me = Number(accountId());
    this.form = part("composer");
    this.attachments = new Attachments(this.form, root, this.me);
    this.presence = new Presence(root, data("member-page"));
    this.timeline = new Timeline(part("timeline"), Number(this.firstUnread));
    this.typing = new Typing(part("typing"), this.url);
    this.goTo = this.goTo.bind(this);
    this.addFromServer = this.addFromServer.bind(this);
    this.state = new UkmState(this.form, this);
  }

  showMessages(messages) {
    const { timeline } = this;
    timeline.adopt(messages);
    this.outbox = makeOutbox(this);
    for (const { client_id } of messages.filter(isMine)) timeline.drop(client_id);
    this.removeSent(messages);
    timeline.anchor.restore(timeline.byId.get(timeline.firstUnread), Number(this.unread));
    this.reading = startReading(timeline, this.url);
    this.history = startHistoryLoader(timeline, this.url, messages.length);
    this.newer = new NewerLoader(this);
    if (this.newerLeft !== undefined) this.newer.start();
    startProfileUpdates(timeline.list.box, this.presence);
    startLightbox(timeline.list.box);
    startResync(this);
    startUnreadBar(this);
    if (this.newer.hasMore) return;
    const ukmName = document.querySelector(".chat-title h1").textContent.trim();
    const saved = { code: this.code, name: ukmName, author: this.authorName };
    startSavingRoom(saved, () => timeline.stored());
  }

  /** Moves a text and the chosen files to the outbox. */
  send(text, replyTo) {
    const entry = this.outbox.add(text, replyTo, this.attachments.chosen);
    this.attachments.clear();
    showPictures(this.outbox, entry);
    if (this.newer.hasMore && this.outbox.isStored) this.timeline.anchor.toNewest();
  }

  /** Removes this person's messages from the outbox, because the server has stored them. */
  removeSent(messages) {
    this.outbox.remove(...messages.filter(isMine).map((message) => message.client_id));
  }

  addFromServer(messages) {
    this.removeSent(messages);
    this.timeline.addFromServer(messages);
  }

  /** Scrolls to a message, which may be older than all loaded messages. A page that was opened around
   * the message and does not have it says that the message does not exist. */
  async goTo(id) {
    try {
      await this.history.loadUntil(id);
    } catch (error) {
      toast(error.message, "bad");
      return;
    }
    const element = this.timeline.byId.get(id);
    if (element) this.timeline.anchor.show(element);
    else if (new URLSearchParams(location.search).get("around") !== String(id)) this.openAt(id);
    else toast(t("no_message"), "wait");
  }

  /** Loads the page again around a message that is so old that too many messages lie between. */
  openAt(id) {
    location.assign(`${this.url}/chat?around=${id}#pesan-${id}`);
  }

  /** Goes to the message that the page's address names, as in a copied link. */
  followAddress() {
    const go = () => addressedMessage() && this.goTo(Number(addressedMessage()));
    addEventListener("hashchange", go);
    go();
  }

  startWriting() {
    const field = this.form.elements.message;
    const mentions = new MentionAutocomplete(field, part("names"), (start) =>
      this.namesLike(start),
    );
    const { draft, reply } = startComposer(this.form, `draft:${this.me}:${this.code}`, {
      send: (text, replyTo) => {
        this.typing.messageSent();
        this.send(text, replyTo);
      },
      typing: () => this.typing.send(),
      keys: (event) => mentions.handleKey(event),
      editLast: (event) => this.editLast(event),
      hasFiles: () => this.attachments.chosen.length > 0,
    });
    this.reply = reply;
    this.attachments.keepIn(draft);
  }

  /** Names of members with a word that begins with `start`: from the page when it knows all members,
   * otherwise from the server. */
  async namesLike(start) {
    if (this.presence.complete) return suggest(this.presence.names, start, MAX_NAMES);
    const query = new URLSearchParams({ q: start });
    const found = await api.get(`${this.url}/names?${query}`).catch(() => ({ members: [] }));
    return found.members.map((member) => member.name);
  }

  startActions() {
    const { state, timeline } = this;
    this.actions = messageActions(this);
    this.menu = new MessageMenu({
      ...this.actions,
      room: () => ({
        isAdmin: state.isAdmin,
        mayPin: state.mayPin,
        closed: Boolean(state.closedReason),
      }),
    });
    this.byTouch = matchMedia("(pointer: coarse)");
    timeline.list.box.addEventListener("click", (event) => this.press(event));
    document.querySelector("[data-unpin]").addEventListener("click", this.actions.unpin);
    startMessageKeys(timeline, (element) => this.menu.open(element));
    startNotificationSettings(part("notices-form"), this);
  }

  /** Edits this person's newest message that may still be edited. */
  editLast(event) {
    const element = this.timeline.findLast(({ message }) => this.menu.offered(message).edit);
    if (!element) return;
    event.preventDefault();
    this.actions.use("edit", element);
  }

  press({ target }) {
    const element = target.closest(".message");
    const button = target.closest("button");
    if (!element || target.closest("a")) return;
    if (button?.dataset.tool) this.actions.use(button.dataset.tool, element);
    else if (button?.dataset.emoji) this.actions.react(button.dataset.emoji, element);
    else if (button?.matches(".quote")) this.goTo(element.message.reply_to.id);
    else if (button || (this.byTouch.matches && !String(getSelection()))) this.menu.open(element);
  }

  listen() {
    const { timeline, typing, presence } = this;
    const listeners = {
      "chat.message": (message) => this.received(message),
      "chat.edited": (message) => timeline.change(message),
      "chat.deleted": (message) => timeline.change(message),
      "chat.reaction": (event) =>
        timeline.react({ ...event, mine: isMine(event) ? event.on : undefined }),
      "chat.typing": (event) => isMine(event) || typing.add(event),
      presence: (event) => presence.updatePresence(event),
      // A pin may be new: a report marks it as read, though no message is new (read_marker.js).
      "ukm.changed": ({ pin }) => pin && this.reading.repeatReport(),
      // `muted_until` marks the second copy of an event, to the person themself, for `UkmState`.
      membership: (event) => "muted_until" in event || presence.updateMembership(event),
    };
    for (const [type, listener] of Object.entries(listeners)) {
      on(type, (event) => event.ukm === this.code && listener(event));
    }
    addEventListener("online", () => this.outbox.flush());
    this.askBeforeLoss();
  }

  /** Lets the browser ask before it leaves the page with messages that are only in memory. It does
   * not ask once the session has ended, because the next person must not see this page. */
  askBeforeLoss() {
    const ask = (event) => this.outbox.isStored || event.preventDefault();
    addEventListener("beforeunload", ask);
    on("ended", () => removeEventListener("beforeunload", ask));
  }

  received(message) {
    this.typing.remove(message.user_id);
    if (this.newer.hasMore) {
      this.newer.postpone(message);
      return;
    }
    this.addFromServer([message]);
    this.reading.checkSoon();
  }
}
