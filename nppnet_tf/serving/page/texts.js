/** Words for people. */

const MOST_LETTERS = 240;

/**
 * @param {string} text Any text.
 * @return {string} It in one line of bounded length.
 */
export function oneLine(text) {
  const line = String(text).replace(/\s+/g, " ").trim();
  const isLong = line.length > MOST_LETTERS;
  return isLong ? `${line.slice(0, MOST_LETTERS)}…` : line;
}

/** @param {string} name @return {string} "left_knee" as "left knee". */
export function readable(name) {
  return name.replaceAll(/[_-]+/g, " ").toLowerCase();
}

/** @param {string} text @return {string} It with a capital. */
export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * @param {number} count
 * @param {string} one What there is one of.
 * @param {string} [several] What there are several of.
 * @return {string} "1 joint", "2 joints".
 */
export function counted(count, one, several = `${one}s`) {
  return `${count} ${count === 1 ? one : several}`;
}

/** @param {number} share @return {string} "12 %", "0.4 %", "< 0.1 %". */
export function percent(share) {
  const value = 100 * share;
  if (value < 0.1) {
    return "< 0.1 %";
  }
  return `${value < 1 ? value.toFixed(1) : Math.round(value)} %`;
}

/** @param {number} bytes @return {string} "12 kB", "3.4 MB". */
export function bytesText(bytes) {
  return bytes < 1e6
    ? `${Math.max(1, Math.round(bytes / 1e3))} kB`
    : `${(bytes / 1e6).toFixed(1)} MB`;
}
