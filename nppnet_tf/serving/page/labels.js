/** What stands in a label map, and whether joints fit to it. */

/** Class of what is no part. */
export const BACKGROUND = 0;

/**
 * @typedef {Object} Descriptor Names of what a model answers.
 * @property {string} name
 * @property {string[]} classes
 * @property {number[][]} palette
 * @property {number} ignore_label
 * @property {string[]} keypoints
 * @property {string[][]} skeleton
 * @property {Object<string, string[]>} keypoint_classes
 * @property {?string[]} head_segment
 */

/**
 * @param {Uint8Array} labels
 * @return {number[]} Pixels [256] of every label.
 */
export function countLabels(labels) {
  const counts = new Array(256).fill(0);
  for (const label of labels) {
    ++counts[label];
  }
  return counts;
}

/**
 * @param {import("./api.js").LabelMap} labelMap
 * @param {number[]} xy Place; whole numbers are centers of pixels.
 * @return {?number} Label of the pixel there; null outside of the picture.
 */
export function labelAt(labelMap, [x, y]) {
  const [column, row] = [Math.floor(x + 0.5), Math.floor(y + 0.5)];
  const isInside =
    column >= 0 && row >= 0 && column < labelMap.width && row < labelMap.height;
  return isInside ? labelMap.labels[row * labelMap.width + column] : null;
}

/**
 * Says which joints count as found; see `nppnet_tf/data/visibility.py`.
 *
 * @param {import("./api.js").Pose} pose
 * @param {number} threshold Least score of a joint that was found.
 * @return {boolean[]} [K].
 */
export function areVisible(pose, threshold) {
  return pose.scores.map(
    (score, joint) =>
      pose.xy[joint].every(Number.isFinite) && score >= Math.fround(threshold),
  );
}

/**
 * @typedef {Object} Warning A joint that lies on a part of something else.
 * @property {number} joint Its number.
 * @property {?number} label What it lies on; null outside of the picture.
 * @property {string[]} expected Classes on which it may lie.
 */

/**
 * Finds joints that lie on, and near to, nothing that they can belong to; see
 * `nppnet_tf/metrics/consistency.py`.
 *
 * @param {import("./api.js").LabelMap} labelMap
 * @param {import("./api.js").Pose} pose
 * @param {boolean[]} visible Joints that count.
 * @param {Descriptor} descriptor
 * @param {number} tolerance Distance, in head sizes, that is near.
 * @return {Warning[]}
 */
export function inconsistencies(
  labelMap,
  pose,
  visible,
  descriptor,
  tolerance,
) {
  const radius = tolerance * headSize(pose, descriptor);
  const warnings = [];
  descriptor.keypoints.forEach((name, joint) => {
    const expected = descriptor.keypoint_classes[name] ?? [];
    if (!visible[joint] || !expected.length) {
      return;
    }
    const label = labelAt(labelMap, pose.xy[joint]);
    const fitting = new Set(
      expected.map((part) => descriptor.classes.indexOf(part)),
    );
    const fits =
      label === descriptor.ignore_label ||
      fitting.has(label) ||
      isNear(labelMap, pose.xy[joint], radius, fitting);
    if (!fits) {
      warnings.push({joint, label, expected});
    }
  });
  return warnings;
}

/**
 * @param {import("./api.js").Pose} pose
 * @param {Descriptor} descriptor
 * @return {number} Length of the head in pixels; 0 where nobody knows.
 */
function headSize(pose, descriptor) {
  const [start, end] = (descriptor.head_segment ?? []).map(
    (name) => pose.xy[descriptor.keypoints.indexOf(name)],
  );
  if (!start || !end) {
    return 0;
  }
  const size = Math.hypot(start[0] - end[0], start[1] - end[1]);
  return Number.isFinite(size) ? size : 0;
}

/**
 * @param {import("./api.js").LabelMap} labelMap
 * @param {number[]} xy A place.
 * @param {number} radius Pixels.
 * @param {Set<number>} fitting Labels.
 * @return {boolean} Whether the center of a pixel with one of them lies within.
 */
function isNear(labelMap, [x, y], radius, fitting) {
  const low = (place) => Math.max(0, Math.ceil(place - radius));
  const high = (place, side) => Math.min(side - 1, Math.floor(place + radius));
  for (let row = low(y); row <= high(y, labelMap.height); ++row) {
    for (let column = low(x); column <= high(x, labelMap.width); ++column) {
      const isWithin = (column - x) ** 2 + (row - y) ** 2 <= radius ** 2;
      const label = labelMap.labels[row * labelMap.width + column];
      if (isWithin && fitting.has(label)) {
        return true;
      }
    }
  }
  return false;
}
