/** Numbers as Python writes them, so that files of both are one. */

/**
 * Rounds to the nearest decimal; of two that are as near, to the even one.
 *
 * @param {number} value
 * @param {number} digits Digits behind the point.
 * @return {?number} null for what JSON has no word for.
 */
export function rounded(value, digits) {
  if (!Number.isFinite(value)) {
    return null;
  }
  // Half of a decimal is a whole number of halves of a power of two.
  const isHalf = Math.abs(value * 2 ** (digits + 1)) % 2 === 1;
  if (isHalf) {
    const scaled = value * 10 ** digits;
    const low = Math.floor(scaled);
    return (low % 2 === 0 ? low : low + 1) / 10 ** digits;
  }
  return Number(value.toFixed(digits)) + 0;
}
