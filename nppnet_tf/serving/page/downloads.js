/** Files of a result, as `nppnet-predict` writes them. */

import {BACKGROUND, areVisible, countLabels} from "./labels.js";
import {rounded} from "./numbers.js";
import {withPalette, writeGray} from "./png.js";

const COORDINATES =
  "pixels, x right, y down, (0, 0) is the center of the top left pixel of " +
  "the upright picture";

/**
 * @typedef {Object} Person
 * @property {number[][]} xy Joints [K][2] in pixels of the picture.
 * @property {number[]} scores Scores [K].
 * @property {?number[]} box Left, top, right, bottom; null where nobody was
 *     cut out.
 */

/**
 * @typedef {Object} Result
 * @property {import("./pictures.js").Picture} picture
 * @property {import("./api.js").LabelMap} labelMap
 * @property {Person[]} people
 * @property {?Uint8Array} instances Who is where, counted from 1; null where
 *     all parts are one person's.
 * @property {import("./labels.js").Descriptor} descriptor
 * @property {number} bytes Bytes of the answer.
 */

/**
 * @param {Result} result
 * @return {Promise<Blob>} Palette PNG whose indices are classes.
 */
export async function palettePng({labelMap, descriptor}) {
  const gray = labelMap.png ?? (await writeGray(labelMap));
  return new Blob([withPalette(gray, descriptor.palette)], {
    type: "image/png",
  });
}

/**
 * @param {Result} result One of several people.
 * @param {number[][]} palette Colors of nobody and of the people.
 * @return {Promise<Blob>} Palette PNG whose indices count people from 1.
 */
export async function instancesPng({labelMap, instances}, palette) {
  const gray = await writeGray({...labelMap, labels: instances});
  return new Blob([withPalette(gray, palette)], {type: "image/png"});
}

/**
 * @param {Result} result
 * @param {Set<number>} parts Classes that are kept.
 * @return {Promise<Blob>} PNG of the picture, transparent elsewhere.
 */
export async function cutOut({picture, labelMap}, parts) {
  const {width, height, labels} = labelMap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.drawImage(picture.canvas, 0, 0, width, height);
  const mask = new ImageData(width, height);
  labels.forEach((label, place) => {
    mask.data[4 * place + 3] = parts.has(label) ? 255 : 0;
  });
  const maskCanvas = new OffscreenCanvas(width, height);
  maskCanvas.getContext("2d").putImageData(mask, 0, 0);
  context.globalCompositeOperation = "destination-in";
  context.drawImage(maskCanvas, 0, 0);
  return canvas.convertToBlob({type: "image/png"});
}

/**
 * @param {Result} result
 * @param {number} threshold Least score of a joint that was found.
 * @return {Object} As `<stem>.json`.
 */
export function predictionDocument(result, threshold) {
  const {picture, labelMap, people, instances, descriptor} = result;
  const ofPicture = {
    image: picture.name,
    height: labelMap.height,
    width: labelMap.width,
    coordinates: COORDINATES,
    dataset: descriptor.name,
  };
  const ofNames = {
    score_threshold: threshold,
    skeleton: descriptor.skeleton,
    parts: partValues(labelMap.labels, labelMap.labels.length, descriptor),
  };
  if (people.length === 1 && !people[0].box) {
    const keypoints = jointValues(people[0], descriptor, threshold);
    const format = "nppnet_tf.prediction";
    return {format, ...ofPicture, keypoints, ...ofNames};
  }
  return {
    format: "nppnet_tf.people",
    ...ofPicture,
    people: people.map((person, number) => ({
      id: number + 1,
      box: person.box?.map((side) => rounded(side, 3)) ?? null,
      score: 1,
      keypoints: jointValues(person, descriptor, threshold),
      parts: partValues(
        labelMap.labels.filter((_, place) => instances?.[place] === number + 1),
        labelMap.labels.length,
        descriptor,
      ),
    })),
    ...ofNames,
  };
}

/**
 * @param {Result} result
 * @param {number} threshold Least score of a joint that was found.
 * @param {{layouts: Object<string, string[]>,
 *     middles: Object<string, string[]>}} openpose Names of its keypoints, and
 *     between which joints those lie that nobody annotates.
 * @param {string} layout "body_25" or "coco_18".
 * @return {Object} As `<stem>_openpose.json`.
 */
export function openposeDocument(result, threshold, openpose, layout) {
  const people = result.people.map((person) => ({
    person_id: [-1],
    pose_keypoints_2d: openposeValues(
      person,
      result.descriptor,
      threshold,
      openpose.middles,
      openpose.layouts[layout],
    ),
    face_keypoints_2d: [],
    hand_left_keypoints_2d: [],
    hand_right_keypoints_2d: [],
    pose_keypoints_3d: [],
    face_keypoints_3d: [],
    hand_left_keypoints_3d: [],
    hand_right_keypoints_3d: [],
  }));
  return {version: 1.3, people};
}

/** @param {Object} document @return {Blob} JSON. */
export function jsonBlob(document) {
  const text = `${JSON.stringify(document, null, 1)}\n`;
  return new Blob([text], {type: "application/json"});
}

/**
 * Hands a file to the person in front of the page.
 *
 * @param {Blob} blob
 * @param {string} name Name of the file.
 */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Not at once: some browsers read it a little later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * @param {Person} person
 * @param {import("./labels.js").Descriptor} descriptor
 * @param {number} threshold
 * @return {Object[]} Joints with their names.
 */
function jointValues(person, descriptor, threshold) {
  const visible = areVisible(person, threshold);
  return descriptor.keypoints.map((name, joint) => ({
    name,
    x: rounded(person.xy[joint][0], 3),
    y: rounded(person.xy[joint][1], 3),
    score: rounded(person.scores[joint], 5),
    visible: visible[joint],
  }));
}

/**
 * @param {Uint8Array} labels
 * @param {number} numPixels Pixels of the picture.
 * @param {import("./labels.js").Descriptor} descriptor
 * @return {Object[]} Classes that occur, with their shares of the picture.
 */
export function partValues(labels, numPixels, descriptor) {
  const counts = countLabels(labels);
  return descriptor.classes
    .map((name, id) => ({id, name, share: rounded(counts[id] / numPixels, 6)}))
    .filter(({id}) => counts[id]);
}

/**
 * @param {Person} person
 * @param {import("./labels.js").Descriptor} descriptor
 * @param {number} threshold
 * @param {Object<string, string[]>} middles
 * @param {Array<?string>} layout Names of OpenPose's keypoints.
 * @return {number[]} x, y, score of each; zeros where it was not found.
 */
function openposeValues(person, descriptor, threshold, middles, layout) {
  const visible = areVisible(person, threshold);
  const found = new Map();
  descriptor.keypoints.forEach((name, joint) => {
    if (visible[joint]) {
      found.set(name, [...person.xy[joint], person.scores[joint]]);
    }
  });
  for (const [name, [first, second]] of Object.entries(middles)) {
    const [start, end] = [found.get(first), found.get(second)];
    if (start && end) {
      found.set(name, [
        (start[0] + end[0]) / 2,
        (start[1] + end[1]) / 2,
        // The middle is known as well as the less certain of the two.
        Math.min(start[2], end[2]),
      ]);
    }
  }
  return layout.flatMap((name) =>
    (found.get(name) ?? [0, 0, 0]).map((value) => rounded(value, 4)),
  );
}

/**
 * @param {import("./labels.js").Descriptor} descriptor
 * @return {Set<number>} All classes but the background.
 */
export function allParts(descriptor) {
  return new Set(
    descriptor.classes.map((_, id) => id).filter((id) => id !== BACKGROUND),
  );
}
