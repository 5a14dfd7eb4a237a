// What the server tells by `/stream`. An event that is replayed has a number of its own and comes
// to each page once, in order; the others say how something is now.

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
]);
const TRANSIENT = [
  "chat.typing",
  "presence",
  "unread",
  "ukm.reports",
  "sync.progress",
  "queue.health",
];

export const TYPES = [...REPLAYED, ...TRANSIENT];
export const isReplayed = ({ type }) => REPLAYED.has(type);
