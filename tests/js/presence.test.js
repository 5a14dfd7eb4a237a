import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Presence } from "../../myukm/static/js/chat/presence.js";
import { Refresh } from "../../myukm/static/js/core/refresh.js";
import { makePage } from "./page.js";

const MEGA = { user_id: 7, name: "Mega", status: "online" };
const FARHAN = { user_id: 8, name: "Farhan", status: "online" };
const CHANGE = { user_id: 9, name: "Siti", is_admin: false };

beforeEach(() => makePage());

/** The presence of a room with these members, without elements. */
function listOf(members, total = members.length) {
  const presence = Object.create(Presence.prototype);
  presence.refresh = new Refresh();
  presence.show = (online) => Object.assign(presence, { online });
  presence.load({ members, online_count: members.length, total_members: total });
  return presence;
}

test('a person who left is not listed again when their event "offline" arrives', () => {
  const presence = listOf([MEGA, FARHAN]);
  presence.updateMembership({ ...FARHAN, change: "left", member: false });
  presence.updatePresence({ ...FARHAN, status: "offline", online_count: 1 });
  assert.deepEqual(presence.names, ["Mega"]);
  assert.deepEqual([presence.total, presence.online], [1, 1]);
});

test("a member goes offline, and one who was not listed comes online", () => {
  const presence = listOf([MEGA], 120);
  presence.updatePresence({ ...MEGA, status: "offline", online_count: 0 });
  presence.updatePresence({ ...FARHAN, online_count: 1 });
  assert.deepEqual(
    [...presence.members.values()].map(({ name, status }) => [name, status]),
    [
      ["Mega", "offline"],
      ["Farhan", "online"],
    ],
  );
  assert.equal(presence.total, 120);
});

test("a change that the list contains already is not counted again", () => {
  const presence = listOf([MEGA, FARHAN]);
  presence.updateMembership({ ...FARHAN, change: "joined", member: true });
  assert.deepEqual([presence.total, presence.complete], [2, true]);
  presence.updateMembership({ ...CHANGE, change: "left", member: false });
  assert.deepEqual([presence.total, presence.complete], [2, true]);
});

test("the total of a large UKM changes with joins and leaves of members that are not listed", () => {
  const presence = listOf([MEGA], 120);
  for (const [change, member, total] of [
    ["promoted", true, 120],
    ["demoted", true, 120],
    ["removed", false, 119],
    ["added", true, 120],
    ["left", false, 119],
    ["joined", true, 120],
    ["blocked", false, 119],
    ["accepted", true, 120],
  ]) {
    presence.updateMembership({ ...CHANGE, change, member });
    assert.equal(presence.total, total, change);
  }
});

test("a changed name is shown in the list, but adds nobody to it", () => {
  const presence = listOf([MEGA, FARHAN]);
  presence.updateName({ user_id: 8, name: "Farhan H.", photo: null });
  presence.updateName({ user_id: 9, name: "Siti", photo: null });
  assert.deepEqual(presence.names, ["Mega", "Farhan H."]);
});

test("people who join, leave or get a name while the list is loaded are right in it", async () => {
  const presence = listOf([MEGA, FARHAN]);
  await presence.reload(async () => {
    presence.updateMembership({ ...FARHAN, change: "left", member: false });
    presence.updateMembership({ ...CHANGE, change: "added", member: true });
    presence.updateName({ ...MEGA, name: "Mega L." });
    return { members: [MEGA, FARHAN], online_count: 2, total_members: 2 };
  });
  assert.deepEqual(presence.names, ["Mega L.", "Siti"]);
  assert.equal(presence.total, 2);
});

test("after a request that failed, events are applied at once and only once", async () => {
  const presence = listOf([MEGA]);
  await assert.rejects(presence.reload(() => Promise.reject(new Error("no network"))));
  assert.equal(presence.refresh.meanwhile, null);
});

test("an event that arrives while the list is loaded overrides the list", async () => {
  const presence = listOf([MEGA]);
  await presence.reload(async () => {
    presence.updatePresence({ ...MEGA, status: "offline", online_count: 0 });
    return { members: [MEGA, FARHAN], online_count: 2, total_members: 2 };
  });
  const statuses = [...presence.members.values()].map(({ name, status }) => [name, status]);
  assert.deepEqual(statuses, [
    ["Mega", "offline"],
    ["Farhan", "online"],
  ]);
  assert.equal(presence.refresh.meanwhile, null);
});
