/**
 * Several people in one picture: cut out, asked about alone, and laid back, as
 * `nppnet-predict --boxes` does.
 */

import {BACKGROUND} from "./labels.js";

/** Share of the sides of a box by which a person is cut out larger. */
const PADDING = 0.1;

/**
 * @typedef {Object} Crop One person who is cut out.
 * @property {number[]} box Left, top, right, bottom as they were marked.
 * @property {number[]} area The same with a margin, in whole pixels.
 * @property {string} name What errors call it.
 * @property {Blob} blob The encoded picture.
 */

/**
 * Cuts people out of a picture, without loss.
 *
 * @param {import("./pictures.js").Picture} picture
 * @param {number[][]} boxes Left, top, right, bottom in its pixels.
 * @return {Promise<Crop[]>}
 */
export function cutPeople({canvas, name}, boxes) {
  return Promise.all(
    boxes.map(async (box, number) => {
      const area = padded(box, canvas);
      const [left, top, right, bottom] = area;
      const crop = new OffscreenCanvas(right - left, bottom - top);
      crop.getContext("2d").drawImage(canvas, -left, -top);
      const blob = await crop.convertToBlob({type: "image/png"});
      return {box, area, name: `Person ${number + 1} of ${name}`, blob};
    }),
  );
}

/**
 * Lays people back into their picture. Where parts of two overlap, they belong
 * to the one whose box has its middle nearer, measured in sizes of the box.
 *
 * @param {{width: number, height: number}} size Of the picture.
 * @param {Crop[]} crops
 * @param {import("./api.js").Answer[]} answers One for each.
 * @return {{labelMap: import("./api.js").LabelMap, instances: Uint8Array,
 *     people: import("./downloads.js").Person[]}}
 */
export function layBack({width, height}, crops, answers) {
  const labels = new Uint8Array(width * height).fill(BACKGROUND);
  const instances = new Uint8Array(width * height);
  const nearest = new Float32Array(width * height).fill(Infinity);
  crops.forEach(({box, area}, number) => {
    const {labelMap} = answers[number];
    for (let y = 0; y < labelMap.height; ++y) {
      for (let x = 0; x < labelMap.width; ++x) {
        const label = labelMap.labels[y * labelMap.width + x];
        const place = (y + area[1]) * width + x + area[0];
        const distance = distanceFrom(box, x + area[0], y + area[1]);
        if (label !== BACKGROUND && distance < nearest[place]) {
          labels[place] = label;
          instances[place] = number + 1;
          nearest[place] = distance;
        }
      }
    }
  });
  const people = crops.map(({box, area}, number) => {
    const {xy, scores} = answers[number].poses[0];
    return {box, scores, xy: xy.map(([x, y]) => [x + area[0], y + area[1]])};
  });
  return {labelMap: {width, height, labels}, instances, people};
}

/**
 * @param {number[]} box
 * @param {{width: number, height: number}} size Of the picture.
 * @return {number[]} It with a margin, in whole pixels of the picture.
 */
function padded([left, top, right, bottom], {width, height}) {
  const [wide, high] = [(right - left) * PADDING, (bottom - top) * PADDING];
  return [
    Math.max(0, Math.floor(left - wide)),
    Math.max(0, Math.floor(top - high)),
    Math.min(width, Math.ceil(right + wide)),
    Math.min(height, Math.ceil(bottom + high)),
  ];
}

/**
 * @param {number[]} box
 * @param {number} x
 * @param {number} y
 * @return {number} From its middle, in sizes of the box.
 */
function distanceFrom([left, top, right, bottom], x, y) {
  return Math.max(
    Math.abs(2 * x + 1 - left - right) / (right - left),
    Math.abs(2 * y + 1 - top - bottom) / (bottom - top),
  );
}
