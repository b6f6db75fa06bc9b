/** The picture on the page, with parts and skeletons over it. */

import {BACKGROUND, areVisible, labelAt} from "./labels.js";

const OUTLINE = "rgb(0 0 0 / 0.8)";

/** Of the longer side of the picture as it is shown. */
const LINE_WIDTH = 1 / 110;
const POINT_RADIUS = 1 / 90;

const FONTS = "system-ui, sans-serif";
const ALARM = "rgb(214 24 24)";

/** Pixels of the page within which a pointer is at a joint. */
const REACH = 10;

/**
 * @typedef {Object} View How a result is shown.
 * @property {number} opacity Of the parts, 0 to 1.
 * @property {Set<number>} parts Classes that are shown.
 * @property {Set<number>} people Numbers of the people that are shown.
 * @property {boolean} hasSkeleton
 * @property {boolean} hasScores
 * @property {number} threshold Least score of a joint that is shown.
 * @property {?number} highlighted Class that stands out.
 * @property {?number[]} probe Place that the keyboard looks at.
 * @property {Set<string>} alarming Joints that lie on an unexpected part, as
 *     "PERSON JOINT" in numbers.
 * @property {number[][]} boxes What is marked: left, top, right, bottom.
 */

/** A canvas that shows one result. */
export class Stage {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{left: number[], right: number[], center: number[]}} colors Of the
   *     limbs of both sides and of the middle.
   */
  constructor(canvas, colors) {
    this.canvas = canvas;
    this.colors = colors;
    /** @type {?import("./downloads.js").Result} */
    this.result = null;
    /** @type {?View} */
    this.view = null;
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** What `#layer` shows. */
  #painted = [];
  #layer = null;

  /**
   * @param {import("./downloads.js").Result} result
   * @param {View} view
   */
  show(result, view) {
    const isNew = this.result !== result;
    this.result = result;
    this.view = view;
    if (isNew) {
      this.#fit();
    }
    this.draw();
  }

  /** Draws once more, as large as the page shows it. */
  draw() {
    if (!this.result) {
      return;
    }
    const {canvas, result, view} = this;
    const width = canvas.clientWidth;
    const zoom = (width / result.labelMap.width) * devicePixelRatio;
    canvas.width = Math.max(1, Math.round(width * devicePixelRatio));
    canvas.height = Math.max(1, Math.round(result.labelMap.height * zoom));
    const context = canvas.getContext("2d", {alpha: false});
    context.imageSmoothingQuality = "high";
    context.drawImage(result.picture.canvas, 0, 0, canvas.width, canvas.height);
    // Edges of parts are edges of pixels where the picture is enlarged.
    context.imageSmoothingEnabled = zoom < 1;
    context.drawImage(this.#parts(), 0, 0, canvas.width, canvas.height);
    this.#drawPeople(context, zoom);
    view.boxes.forEach((box, number) => {
      drawBox(context, box.map((side) => side * zoom), String(number + 1));
    });
    if (view.probe) {
      drawProbe(context, view.probe.map((place) => (place + 0.5) * zoom));
    }
  }

  /**
   * @param {PointerEvent|MouseEvent} event
   * @return {number[]} Place in pixels of the picture.
   */
  placeOf(event) {
    const {left, top, width} = this.canvas.getBoundingClientRect();
    const scale = this.result.labelMap.width / width;
    return [
      (event.clientX - left) * scale - 0.5,
      (event.clientY - top) * scale - 0.5,
    ];
  }

  /**
   * @param {number[]} xy Place in pixels of the picture.
   * @return {{label: ?number, joint: ?number, person: ?number}} What is there;
   *     a joint is where a person would point at it.
   */
  at(xy) {
    const {result, view} = this;
    const label = labelAt(result.labelMap, xy);
    const scale = result.labelMap.width / this.canvas.clientWidth;
    let nearest = {distance: REACH * scale, joint: null, person: null};
    if (view.hasSkeleton) {
      this.#shownPeople().forEach(({person, number, visible}) => {
        person.xy.forEach(([x, y], joint) => {
          const distance = Math.hypot(x - xy[0], y - xy[1]);
          if (visible[joint] && distance < nearest.distance) {
            nearest = {distance, joint, person: number};
          }
        });
      });
    }
    return {label, joint: nearest.joint, person: nearest.person};
  }

  /** @return {OffscreenCanvas} The parts, painted anew if they changed. */
  #parts() {
    const {labelMap, descriptor} = this.result;
    const {opacity, parts, people, highlighted} = this.view;
    const shown = [opacity, highlighted, ...parts, "of", ...people].join();
    const painted = [labelMap, descriptor, shown];
    if (painted.some((each, k) => each !== this.#painted[k])) {
      this.#layer = partsLayer(this.result, this.view);
      this.#painted = painted;
    }
    return this.#layer;
  }

  /** Gives the canvas the form of the picture. */
  #fit() {
    const {width, height} = this.result.labelMap;
    const form = String(width / height);
    this.canvas.style.aspectRatio = form;
    this.canvas.parentElement.style.setProperty("--form", form);
  }

  /** @return {{person: Object, number: number, visible: boolean[]}[]} */
  #shownPeople() {
    return this.result.people
      .map((person, number) => ({
        person,
        number,
        visible: areVisible(person, this.view.threshold),
      }))
      .filter(({number}) => this.view.people.has(number));
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} zoom Pixels of the canvas for one of the picture.
   */
  #drawPeople(context, zoom) {
    const longer = Math.max(this.canvas.width, this.canvas.height);
    for (const {person, number, visible} of this.#shownPeople()) {
      const points = person.xy.map((place) =>
        place.map((x) => (x + 0.5) * zoom),
      );
      const shown = points.filter((_, joint) => visible[joint]);
      if (this.view.hasSkeleton) {
        this.#drawSkeleton(context, points, visible, longer);
        points
          .filter((_, joint) => this.view.alarming.has(`${number} ${joint}`))
          .forEach((point) => drawAlarm(context, point, longer));
      }
      if (this.result.people.length > 1) {
        drawNumber(context, shown, number + 1, longer);
      }
      if (this.view.hasScores) {
        const scores = person.scores.filter((_, joint) => visible[joint]);
        shown.forEach((point, k) => {
          drawScore(context, point, scores[k], longer);
        });
      }
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number[][]} points Joints in pixels of the canvas.
   * @param {boolean[]} visible
   * @param {number} longer Side of the canvas.
   */
  #drawSkeleton(context, points, visible, longer) {
    const {keypoints, skeleton} = this.result.descriptor;
    const line = Math.max(2, longer * LINE_WIDTH);
    const outline = Math.max(1, longer / 400);
    context.lineCap = "round";
    const limbs = skeleton
      .map((names) => names.map((name) => keypoints.indexOf(name)))
      .filter((ends) => ends.every((joint) => visible[joint]));
    for (const [start, end] of limbs) {
      const path = new Path2D();
      path.moveTo(...points[start]);
      path.lineTo(...points[end]);
      const color = this.#limbColor(keypoints[start], keypoints[end]);
      for (const [width, style] of [
        [line + 2 * outline, OUTLINE],
        [line, color],
      ]) {
        context.lineWidth = width;
        context.strokeStyle = style;
        context.stroke(path);
      }
    }
    const radius = Math.max(2.5, longer * POINT_RADIUS);
    points.forEach((point, joint) => {
      if (visible[joint]) {
        drawDisc(context, point, radius + outline, OUTLINE);
        drawDisc(context, point, radius, this.#sideColor(keypoints[joint]));
      }
    });
  }

  /** @param {string} start @param {string} end @return {string} A color. */
  #limbColor(start, end) {
    const isMiddle = !/^(left|right)_/.test(end);
    return this.#sideColor(isMiddle ? start : end);
  }

  /** @param {string} name Of a joint. @return {string} Its side's color. */
  #sideColor(name) {
    const side = /^(left|right)_/.exec(name)?.[1] ?? "center";
    return `rgb(${this.colors[side].join(" ")})`;
  }
}

/**
 * Paints the parts of a result, as large as its label map.
 *
 * @param {import("./downloads.js").Result} result
 * @param {View} view
 * @return {OffscreenCanvas}
 */
function partsLayer({labelMap, instances, descriptor}, view) {
  const {width, height, labels} = labelMap;
  const image = new ImageData(width, height);
  // Pixels as whole numbers: 0xAABBGGRR, since all browsers' machines are
  // little-endian.
  const pixels = new Uint32Array(image.data.buffer);
  const fills = paints(descriptor, view, view.opacity);
  // Outlines keep neighbors of similar colors apart.
  const lines = paints(descriptor, view, 1 - (1 - view.opacity) ** 3);
  for (let place = 0; place < labels.length; ++place) {
    const label = labels[place];
    if (fills[label] && (!instances || view.people.has(instances[place] - 1))) {
      const isLine = isOutline(labels, place, width);
      pixels[place] = isLine ? lines[label] : fills[label];
    }
  }
  const layer = new OffscreenCanvas(width, height);
  layer.getContext("2d").putImageData(image, 0, 0);
  return layer;
}

/**
 * @param {import("./labels.js").Descriptor} descriptor
 * @param {View} view
 * @param {number} opacity 0 to 1.
 * @return {Uint32Array} Pixels [256] of every label; 0 of what is not shown.
 */
function paints(descriptor, view, opacity) {
  return Uint32Array.from({length: 256}, (_, label) => {
    const color = descriptor.palette[label];
    if (label === BACKGROUND || !color || !view.parts.has(label)) {
      return 0;
    }
    const isDimmed = view.highlighted !== null && view.highlighted !== label;
    const alpha = Math.round(255 * (isDimmed ? opacity / 4 : opacity));
    return (alpha << 24) | (color[2] << 16) | (color[1] << 8) | color[0];
  });
}

/**
 * @param {Uint8Array} labels
 * @param {number} place Number of a pixel.
 * @param {number} width Of a row.
 * @return {boolean} Whether a neighbor has another label.
 */
function isOutline(labels, place, width) {
  const label = labels[place];
  const column = place % width;
  return (
    (column > 0 && labels[place - 1] !== label) ||
    (column + 1 < width && labels[place + 1] !== label) ||
    (place >= width && labels[place - width] !== label) ||
    (place + width < labels.length && labels[place + width] !== label)
  );
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} center
 * @param {number} radius
 * @param {string} color
 */
function drawDisc(context, [x, y], radius, color) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = color;
  context.fill();
}

/**
 * Draws a ring around a joint.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} center
 * @param {number} longer Side of the canvas.
 */
function drawAlarm(context, [x, y], longer) {
  const radius = Math.max(2.5, longer * POINT_RADIUS) * 2.1;
  for (const [width, color] of [
    [3.5, "white"],
    [2, ALARM],
  ]) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.lineWidth = width * devicePixelRatio;
    context.strokeStyle = color;
    context.stroke();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} box Left, top, right, bottom.
 * @param {string} text What to write into its corner.
 */
function drawBox(context, [left, top, right, bottom], text) {
  for (const [width, color] of [
    [4, "black"],
    [2, "white"],
  ]) {
    context.lineWidth = width * devicePixelRatio;
    context.strokeStyle = color;
    context.strokeRect(left, top, right - left, bottom - top);
  }
  drawText(context, text, left + 6, top + 14 * devicePixelRatio);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} point Joint.
 * @param {number} score
 * @param {number} longer Side of the canvas.
 */
function drawScore(context, [x, y], score, longer) {
  drawText(context, score.toFixed(2), x + longer * POINT_RADIUS + 4, y);
}

/**
 * Writes the number of a person over their highest joint.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number[][]} points Joints that are shown.
 * @param {number} number
 * @param {number} longer Side of the canvas.
 */
function drawNumber(context, points, number, longer) {
  const [highest] = [...points].sort((a, b) => a[1] - b[1]);
  if (highest) {
    const above = longer * POINT_RADIUS + 12 * devicePixelRatio;
    const top = Math.max(highest[1] - above, 8 * devicePixelRatio);
    drawText(context, String(number), highest[0] - 4 * devicePixelRatio, top);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} left
 * @param {number} middle
 */
function drawText(context, text, left, middle) {
  context.font = `600 ${Math.round(12 * devicePixelRatio)}px ${FONTS}`;
  context.textBaseline = "middle";
  context.lineWidth = 3 * devicePixelRatio;
  context.lineJoin = "round";
  context.strokeStyle = "black";
  context.strokeText(text, left, middle);
  context.fillStyle = "white";
  context.fillText(text, left, middle);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} center
 */
function drawProbe(context, [x, y]) {
  const size = 12 * devicePixelRatio;
  const path = new Path2D();
  path.moveTo(x - size, y);
  path.lineTo(x + size, y);
  path.moveTo(x, y - size);
  path.lineTo(x, y + size);
  for (const [width, color] of [
    [4, "black"],
    [2, "white"],
  ]) {
    context.lineWidth = width * devicePixelRatio;
    context.strokeStyle = color;
    context.stroke(path);
  }
}
