import { fillSlots } from "../core/dom.js";
import { number } from "../core/format.js";
import { t } from "../core/i18n.js";
import { Refresh } from "../core/refresh.js";
import { renderList } from "../core/template_list.js";
import { lastSeen } from "../core/time.js";
import { remember } from "./name_cache.js";

/** The values of `change` with which a membership begins. */
export const JOINED = new Set(["joined", "added", "accepted"]);
const ORDER = { online: 0, away: 1, offline: 2 };

function statusText({ status, last_seen: at }) {
  return status === "offline" && at ? lastSeen(at) : [t(`status_${status}`)];
}

function byPresence(one, other) {
  return (
    (ORDER[one.status] ?? 2) - (ORDER[other.status] ?? 2) || one.name.localeCompare(other.name)
  );
}

/** The list of members with their presence. */
export class Presence {
  /** `root` is the element of the room, `members` the answer of `/online`. */
  constructor(root, members) {
    this.root = root;
    this.refresh = new Refresh();
    this.list = document.getElementById("member-list");
    this.load(members);
  }

  /** Replaces the list by an answer of `/online`. */
  load({ members, online_count: online, total_members: total }) {
    this.members = new Map(
      members.map((member) => [member.user_id, { status: "offline", ...member }]),
    );
    this.total = total;
    members.forEach(remember);
    this.show(online);
  }

  /** Replaces the list by what `request` resolves to. */
  reload(request) {
    return this.refresh.load(request, (answer) => this.load(answer));
  }

  /** Whether the page knows every member: of a large UKM the server lists only some. */
  get complete() {
    return this.members.size >= this.total;
  }

  get names() {
    return [...this.members.values()].map(({ name }) => name);
  }

  /** Applies a membership event: someone joined, left, or has another role. A list that was loaded
   * after the change contains the change already. */
  updateMembership(event) {
    const { user_id: id, name, change, member, is_admin: isAdmin } = event;
    this.refresh.record(() => this.updateMembership(event));
    const listed = this.members.get(id);
    const known = listed ?? { user_id: id, name, status: "offline" };
    remember(known);
    if (JOINED.has(change) && !listed) this.total += 1;
    if (!member && (listed || !this.complete)) this.total -= 1;
    if (member) this.members.set(id, { ...known, is_admin: isAdmin });
    else this.members.delete(id);
    this.show(this.online);
  }

  /** Applies a presence event. Ignores "offline" of a person who is not listed: it may arrive after
   * the person has left the UKM. */
  updatePresence(event) {
    this.refresh.record(() => this.updatePresence(event));
    remember(event);
    const known = this.members.get(event.user_id);
    if (known || event.status !== "offline") {
      this.members.set(event.user_id, { ...known, ...event });
    }
    this.total = Math.max(this.total, this.members.size);
    this.show(event.online_count);
  }

  /** Applies an event about a person, who may be no member of this UKM. */
  updateName(person) {
    this.refresh.record(() => this.updateName(person));
    remember(person);
    const known = this.members.get(person.user_id);
    if (!known) return;
    this.members.set(person.user_id, { ...known, name: person.name });
    this.show(this.online);
  }

  show(online) {
    this.online = online;
    const members = [...this.members.values()].sort(byPresence);
    renderList(this.list, "member", members, (node, member) => {
      node.querySelector(".presence").dataset.status = member.status;
      node.querySelector("[data-seen]").replaceChildren(...statusText(member));
      node.querySelector("[data-admin]").hidden = !member.is_admin;
    });
    this.root.querySelector(".chat-head .presence").dataset.status = online ? "online" : "offline";
    fillSlots(this.root, { "online-short": number(online) });
    fillSlots(document.getElementById("members"), {
      online: t("online", { online: number(online), total: number(this.total) }),
    });
  }
}
