/** Milliseconds before the next try: `first`, doubled for each failure up to `max`, and shortened at
 * random by up to a half, so that many clients do not come back at the same moment. */
export function backoff(first, max, failures) {
  return Math.min(max, first * 2 ** failures) * (0.5 + Math.random() / 2);
}
