/**
 * Pictures on their way from a file to the server: upright, and no larger than
 * asked for.
 */

import {oneLine} from "./texts.js";

/** Of JPEG that the page writes itself. */
const QUALITY = 0.95;

/** Where descriptions of a picture stand. */
const HEAD_BYTES = 256 << 10;

/**
 * @typedef {Object} Picture
 * @property {string} name Name of the file.
 * @property {HTMLCanvasElement} canvas Its pixels, upright.
 * @property {Blob} blob What is sent.
 * @property {boolean} isShrunk Whether it was larger.
 * @property {number[]} originalSize [width, height] of the file.
 */

/**
 * Reads a picture, turns it upright as its EXIF says, and shrinks it.
 *
 * A JPEG or PNG that need not shrink is sent as it is, byte for byte, so that
 * the answer is the one that the file has everywhere. What the browser reads
 * and the server does not (WebP, AVIF) becomes a JPEG.
 *
 * @param {File} file
 * @param {number} longestSide Pixels that the longer side may have.
 * @return {Promise<Picture>}
 */
export async function openPicture(file, longestSide) {
  const name = oneLine(file.name || "picture.png");
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, {imageOrientation: "from-image"});
  } catch {
    throw new Error(`${name} is no picture that this browser can read`);
  }
  const originalSize = [bitmap.width, bitmap.height];
  const scale = Math.min(1, longestSide / Math.max(...originalSize));
  const canvas = drawn(bitmap, scale);
  bitmap.close();
  const isShrunk = scale < 1;
  const isSentAsItIs = !isShrunk && (await isPlain(file));
  const blob = isSentAsItIs ? file : await encoded(canvas);
  return {name, canvas, blob, isShrunk, originalSize};
}

/**
 * Encodes a picture once more, from what the browser shows of it.
 *
 * @param {Picture} picture
 * @return {Promise<Picture>}
 */
export async function asShown(picture) {
  return {...picture, blob: await encoded(picture.canvas)};
}

/** @param {string} name @return {string} It without its ending. */
export function stem(name) {
  return name.replace(/\.[A-Za-z0-9]{1,5}$/, "") || name;
}

/**
 * @param {ImageBitmap} bitmap
 * @param {number} scale At most 1.
 * @return {HTMLCanvasElement}
 */
function drawn(bitmap, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d", {alpha: false});
  // JPEG has no transparency.
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** @param {HTMLCanvasElement} canvas @return {Promise<Blob>} A JPEG. */
async function encoded(canvas) {
  const blob = await new Promise((resolve) => {
    canvas.toBlob(resolve, "image/jpeg", QUALITY);
  });
  if (!blob) {
    throw new Error("the picture is too large for this browser");
  }
  return blob;
}

/**
 * Says whether server and browser show a file alike: a JPEG or PNG whose
 * orientation, if any, stands where both of them read it.
 *
 * @param {File} file
 * @return {Promise<boolean>}
 */
async function isPlain(file) {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const begins = (...bytes) => bytes.every((byte, k) => head[k] === byte);
  const isJpeg = begins(0xff, 0xd8, 0xff);
  const isPng = begins(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const text = new TextDecoder("latin1").decode(head);
  if (isPng && text.includes("eXIf")) {
    return false;
  }
  return (isJpeg || isPng) && !text.includes("tiff:Orientation");
}
