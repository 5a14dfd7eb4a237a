// The event types of `/stream`. A replayed event has a sequence number and reaches each page once,
// in order. A transient event is a current state, which the next event of its kind replaces.

const REPLAYED = new Set([
  "chat.message",
  "chat.edited",
  "chat.deleted",
  "chat.reaction",
  "chat.person",
  "ukm.changed",
  "membership",
  "sync.log",
  "sync.siswa",
  "alert",
  "export.ended",
  "account.role",
]);
const TRANSIENT = [
  "chat.typing",
  "presence",
  "unread",
  "ukm.reports",
  "ukm.readers",
  "ukm.requests",
  "ukm.refused",
  "sync.progress",
  "queue.health",
  "queue.history",
  "export.progress",
  "heartbeat",
];

export const TYPES = [...REPLAYED, ...TRANSIENT];
export const isReplayed = ({ type }) => REPLAYED.has(type);
