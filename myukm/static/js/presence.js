import { ago, number } from "./format.js";
import { meet } from "./names.js";
import { paint } from "./rows.js";
import { fill, say } from "./text.js";

const ORDER = { online: 0, away: 1, offline: 2 };

function seen({ status, last_seen: at }) {
  if (status !== "offline") return say(`status_${status}`);
  return at ? say("last_seen", { time: ago(at) }) : say("status_offline");
}

function byPresence(one, other) {
  return (
    (ORDER[one.status] ?? 2) - (ORDER[other.status] ?? 2) || one.name.localeCompare(other.name)
  );
}

/** Who belongs here and who is here. */
export class Presence {
  constructor(page, roll) {
    this.page = page;
    this.list = document.getElementById("member-list");
    this.load(roll);
  }

  /** Takes what `/online` answers. */
  load({ members, online_count: online, total_members: total }) {
    this.members = new Map(
      members.map((member) => [member.user_id, { status: "offline", ...member }]),
    );
    this.total = total;
    members.forEach(meet);
    this.show(online);
  }

  /** Whether everybody's name is known here: of a crowd the server lists some only. */
  get complete() {
    return this.members.size >= this.total;
  }

  /** Someone joined, left, or has another part here now. */
  change({ user_id: id, name, member, is_admin: isAdmin }) {
    const known = this.members.get(id) ?? { user_id: id, name, status: "offline" };
    this.total += Number(member) - Number(this.members.has(id));
    if (member) this.members.set(id, { ...known, is_admin: isAdmin });
    else this.members.delete(id);
    this.show(this.online);
  }

  see(event) {
    meet(event);
    this.members.set(event.user_id, { ...this.members.get(event.user_id), ...event });
    this.total = Math.max(this.total, this.members.size);
    this.show(event.online_count);
  }

  show(online) {
    this.online = online;
    const members = [...this.members.values()].sort(byPresence);
    paint(
      this.list,
      "member",
      members.map((member) => ({ ...member, seen: seen(member) })),
      (node, member) => {
        node.querySelector(".presence").dataset.status = member.status;
        node.querySelector("[data-admin]").hidden = !member.is_admin;
      },
    );
    this.page.querySelector(".chat-head .presence").dataset.status = online ? "online" : "offline";
    fill(this.page, { "online-short": number(online) });
    fill(document.getElementById("members"), {
      online: say("online", { online: number(online), total: number(this.total) }),
    });
  }
}
