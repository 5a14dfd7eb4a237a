// The names of the authors and members that the page has seen so far.

import { fold } from "../core/fold.js";

const names = new Map();

/** Remembers the name of an author or a member, who may have changed it. */
export function remember({ user_id: id, name }) {
  names.set(id, name);
}

/** By which names people with these ids are mentioned after an @: whole names and first words. */
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
