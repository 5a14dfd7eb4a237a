// The names of people in this room, as far as the page has met them.

const names = new Map();

/** Remembers the name of an author or a member. */
export function remember({ user_id: id, name }) {
  names.set(id, name);
}

/** How these people may stand after an @: whole names, and first words. */
export function namesOf(ids) {
  const known = ids.map((id) => names.get(id)).filter(Boolean);
  return [...new Set(known.flatMap((name) => [name, name.split(" ")[0]]))];
}

/** Up to `most` people with a word in their name that begins with `start`. */
export function suggest(start, most) {
  const wanted = start.toLocaleLowerCase();
  const fits = (name) => ` ${name.toLocaleLowerCase()}`.includes(` ${wanted}`);
  return [...names.values()].filter(fits).sort().slice(0, most);
}
