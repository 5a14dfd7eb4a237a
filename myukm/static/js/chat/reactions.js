// The reactions below a message: how often each emoji was chosen, and whether by this person.

import { cloneTemplate, data, fillSlots } from "../core/dom.js";
import { number } from "../core/format.js";
import { t } from "../core/i18n.js";

let emojiInOrder = null;

/** Shows the reactions of a message in its element. */
export function showReactions(element, { reactions = [], deleted }) {
  const row = element.querySelector(".reactions");
  const fresh = row.cloneNode(false);
  fresh.append(...(deleted ? [] : reactions.map(chip)));
  fresh.hidden = !fresh.hasChildNodes();
  if (row.isEqualNode(fresh)) return; // a button may have the focus, or be pressed at this moment
  const { activeElement: focused } = document;
  const focusedEmoji = row.contains(focused) ? focused.dataset.emoji : null;
  row.replaceWith(fresh);
  if (focusedEmoji) focusAgain(element, fresh, focusedEmoji);
}

/** Moves the focus to the new button of `emoji`, or to the message if nobody chose `emoji` any
 * more. */
function focusAgain(element, row, emoji) {
  const same = [...row.children].find((button) => button.dataset.emoji === emoji);
  (same ?? element).focus({ preventScroll: true });
}

function chip({ emoji, count, mine }) {
  const button = fillSlots(cloneTemplate("reaction"), { emoji, count: number(count) });
  button.dataset.emoji = emoji;
  button.setAttribute("aria-pressed", String(mine));
  button.setAttribute("aria-label", t("reaction", { emoji, n: number(count) }));
  return button;
}

/** The reactions after one person's change: `count` is the new number for `emoji`. */
export function changed(reactions = [], { emoji, count, mine }) {
  emojiInOrder ??= data("emoji");
  const others = reactions.filter((each) => each.emoji !== emoji);
  const before = reactions.find((each) => each.emoji === emoji)?.mine ?? false;
  const now = count ? [{ emoji, count, mine: mine ?? before }] : [];
  return [...others, ...now].sort((one, other) => place(one) - place(other));
}

/** The place in the row: an emoji of an earlier version, which can no longer be chosen, is last. */
function place({ emoji }) {
  const index = emojiInOrder.indexOf(emoji);
  return index === -1 ? emojiInOrder.length : index;
}

/** Whether this person reacted with `emoji`. */
export const isOn = ({ reactions = [] }, emoji) =>
  reactions.some((each) => each.emoji === emoji && each.mine);
