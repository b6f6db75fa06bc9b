/**
 * Asks the server, by TensorFlow Serving's REST interface.
 *
 * Whoever answers behind `/v1/models/` may be this project's server or
 * TensorFlow Serving itself.
 */

import {readGray} from "./png.js";
import {oneLine} from "./texts.js";

/** Signature whose label maps are PNG: a hundredth of the bytes of numbers. */
const PNG_SIGNATURE = "predict_png";
const ROWS_SIGNATURE = "serving_default";

/** Longer than a server works on one request. */
const PATIENCE_MILLISECONDS = 180_000;

/** What `status` says of a picture that was not read. */
const STATUSES = {
  1: "is not a whole JPEG or PNG",
  2: "is larger than the model takes",
  3: "does not fit beside the other pictures of its request",
};

/** A failure that a person can read in one line. */
export class ServerError extends Error {
  /**
   * @param {string} message What went wrong.
   * @param {number} status Status of HTTP; 0 where there was no answer.
   */
  constructor(message, status = 0) {
    super(oneLine(message));
    this.status = status;
  }
}

/**
 * @typedef {Object} Pose
 * @property {number[][]} xy Places [K][2] in pixels of the picture; (0, 0) is
 *     the center of its top left pixel.
 * @property {number[]} scores Scores [K].
 */

/**
 * @typedef {Object} LabelMap
 * @property {number} width
 * @property {number} height
 * @property {Uint8Array} labels Classes [height * width], row by row.
 * @property {Uint8Array} [png] The gray PNG it came as.
 */

/**
 * @typedef {Object} Answer
 * @property {LabelMap} labelMap
 * @property {Pose[]} poses One for every person that the model tells of.
 * @property {number} bytes Bytes of the answer.
 */

/** One server, asked about one model after the other. */
export class Client {
  constructor() {
    /** What the server wants to be shown, if anything. */
    this.token = "";
  }

  /**
   * @return {Promise<Object>} Names of everything that models answer, see
   *     `nppnet_tf/serving/descriptions.py`.
   */
  async descriptions() {
    return (await this.#fetch("descriptions.json")).document;
  }

  /**
   * @param {string} model Name of the model.
   * @return {Promise<{version: string, signatures: string[],
   *     numKeypoints: number, numClasses: number}>} What it offers; numbers
   *     are 0 where it does not say.
   */
  async metadata(model) {
    const {document} = await this.#fetch(`${address(model)}/metadata`);
    const signatures = document?.metadata?.signature_def?.signature_def ?? {};
    const last = (signature, output) => {
      const dims =
        signatures[signature]?.outputs?.[output]?.tensor_shape?.dim ?? [];
      return Math.max(Number(dims.at(-1)?.size ?? 0), 0);
    };
    return {
      version: String(document?.model_spec?.version ?? ""),
      signatures: Object.keys(signatures),
      numKeypoints: last("network", "heatmaps"),
      numClasses: last("network", "parsing_logits"),
    };
  }

  /**
   * Asks for parts and joints of pictures.
   *
   * @param {string} model Name of the model.
   * @param {string[]} signatures Those that it offers.
   * @param {{name: string, blob: Blob}[]} pictures Encoded ones.
   * @return {Promise<Answer[]>} One for each.
   */
  async predict(model, signatures, pictures) {
    const signature = signatures.includes(PNG_SIGNATURE)
      ? PNG_SIGNATURE
      : ROWS_SIGNATURE;
    const instances = await Promise.all(
      pictures.map(async ({blob}) => ({
        image_bytes: {b64: await toBase64(blob)},
      })),
    );
    const {document, bytes} = await this.#fetch(`${address(model)}:predict`, {
      method: "POST",
      headers: {"content-type": "application/json"},
      body: JSON.stringify({signature_name: signature, instances}),
    });
    const rows = document?.predictions ?? [];
    if (rows.length !== pictures.length) {
      throw new ServerError(`${model} gives no answer for every picture`);
    }
    return Promise.all(
      rows.map((row, number) => answerOf(row, pictures[number].name, bytes)),
    );
  }

  /**
   * @param {string} path Path below the page.
   * @param {RequestInit} [options] What `fetch` takes.
   * @return {Promise<{document: Object, bytes: number}>}
   */
  async #fetch(path, options = {}) {
    const headers = {...options.headers};
    if (this.token) {
      headers.authorization = `Bearer ${this.token}`;
    }
    let response;
    let text;
    try {
      const signal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
      response = await fetch(path, {...options, headers, signal});
      text = await response.text();
    } catch (error) {
      throw new ServerError(
        error.name === "TimeoutError"
          ? "The server has not answered in time"
          : "The server cannot be reached",
      );
    }
    const document = parsed(text);
    if (!response.ok || document === null) {
      throw new ServerError(refusal(response, document), response.status);
    }
    return {document, bytes: text.length};
  }
}

/**
 * @param {Response} response An answer that is no success.
 * @param {?Object} document What it holds, null where that is no JSON.
 * @return {string} What it means.
 */
function refusal(response, document) {
  const told = document?.error ? `: ${document.error}` : "";
  const wait = response.headers.get("retry-after");
  switch (response.status) {
    case 401:
      return "The server asks for a token (see Settings)";
    case 413:
      return `The picture has more bytes than the server takes${told}`;
    case 429:
    case 503:
      return `The server is busy; try again ${
        wait ? `in ${wait} s` : "later"
      }${told}`;
    default:
      return document?.error
        ? `The server says: ${document.error}`
        : `The server answers ${response.status} and nothing to read`;
  }
}

/** @param {string} model @return {string} Path of a model. */
function address(model) {
  return `v1/models/${encodeURIComponent(model)}`;
}

/** @param {string} text @return {?Object} JSON, null where it is none. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {Blob} blob @return {Promise<string>} Its bytes in base64. */
function toBase64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",", 2)[1] ?? "");
    reader.onerror = () => reject(new ServerError("The file cannot be read"));
    reader.readAsDataURL(blob);
  });
}

/** @param {string} text @return {Uint8Array} Bytes that were in base64. */
function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/**
 * @param {Object} row What a model says of one picture.
 * @param {string} name Name of the picture.
 * @param {number} bytes Bytes of all that it says.
 * @return {Promise<Answer>}
 */
async function answerOf(row, name, bytes) {
  if (!row.keypoints_xy || !row.keypoint_scores) {
    throw new ServerError("The model tells of no joints");
  }
  if (row.status) {
    const reason = STATUSES[row.status] ?? `has status ${row.status}`;
    throw new ServerError(`${name} ${reason}`);
  }
  return {labelMap: await labelMapOf(row), poses: posesOf(row), bytes};
}

/** @param {Object} row @return {Promise<LabelMap>} As PNG or as numbers. */
async function labelMapOf(row) {
  if (row.label_map_bytes?.b64) {
    const png = fromBase64(row.label_map_bytes.b64);
    return {...(await readGray(png)), png};
  }
  const [height, width] = row.image_size;
  const labels = new Uint8Array(height * width);
  // What lies beyond the picture's own size is padding.
  for (let y = 0; y < height; ++y) {
    labels.set(row.label_map[y].slice(0, width), y * width);
  }
  return {width, height, labels};
}

/**
 * @param {Object} row What a model says of one picture.
 * @return {Pose[]} One for every person: joints [K][2], or [P][K][2].
 */
function posesOf(row) {
  const isSeveral = Array.isArray(row.keypoints_xy[0]?.[0]);
  const places = isSeveral ? row.keypoints_xy : [row.keypoints_xy];
  const scores = isSeveral ? row.keypoint_scores : [row.keypoint_scores];
  // Numbers are float32 in the model, whatever digits a server writes.
  return places.map((xy, person) => ({
    xy: xy.map((place) => place.map(Math.fround)),
    scores: scores[person].map(Math.fround),
  }));
}
