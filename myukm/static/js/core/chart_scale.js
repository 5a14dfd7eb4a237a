// Where the scale of a chart ends.

const ROUND_STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The smallest round number (1, 1.5, 2 … × 10ⁿ) that is not below `value`. */
export function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return ROUND_STEPS.map((step) => step * power).find((step) => step >= value);
}
