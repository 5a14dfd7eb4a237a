// The event types of `/stream`. A replayed event has a sequence number and reaches each page once,
// in order. A transient one states how something is now, and the next of its kind replaces it.

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
