// The names of the authors and members that the page has seen so far.

import { fold } from "../core/fold.js";

const names = new Map();

/** Stores the current name of an author or a member. */
export function remember({ user_id: id, name }) {
  names.set(id, name);
}

/** The names by which an @ mentions the people with these ids: full names and their first words. */
export function namesOf(ids) {
  const known = ids.map((id) => names.get(id)).filter(Boolean);
  return [...new Set(known.flatMap((name) => [name, name.split(" ")[0]]))];
}

/** Up to `most` of these names with a word that begins with `start`. */
export function suggest(candidates, start, most) {
  const wanted = ` ${fold(start)}`;
  const fits = (name) => ` ${fold(name)}`.includes(wanted);
  return candidates.filter(fits).sort().slice(0, most);
}
