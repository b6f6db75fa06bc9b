/** Which model is asked, and what its classes and joints are called. */

import {ServerError} from "./api.js";

/** Under which `nppnet-export` puts a model unless told otherwise. */
const USUAL_NAME = "nppnet";

/**
 * @typedef {Object} Model
 * @property {string} name
 * @property {string} version
 * @property {string[]} signatures
 * @property {import("./labels.js").Descriptor[]} descriptors Names that fit;
 *     the likeliest first.
 * @property {number} threshold Least score of a joint that was found.
 */

/**
 * @param {Object} descriptions What the server tells of names.
 * @param {URLSearchParams} wishes Of the page's address.
 * @return {string} The model to ask first.
 */
export function firstModel(descriptions, wishes) {
  return (
    wishes.get("model") || descriptions.models[0]?.name || USUAL_NAME
  );
}

/**
 * Asks what a model is.
 *
 * Its names stand in its description, where the server has it; else those of
 * the known data sets are offered that have as many classes and joints as the
 * model answers.
 *
 * @param {import("./api.js").Client} client
 * @param {string} name Name of the model.
 * @param {Object} descriptions What the server tells of names.
 * @return {Promise<Model>}
 */
export async function openModel(client, name, descriptions) {
  const {version, signatures, numKeypoints, numClasses} =
    await client.metadata(name);
  const own = descriptions.models.find((model) => model.name === name);
  const fits = ({keypoints, classes}) =>
    (!numKeypoints || keypoints.length === numKeypoints) &&
    (!numClasses || classes.length === numClasses);
  const candidates = own ? [own.descriptor] : descriptions.descriptors;
  const descriptors = candidates.filter(fits);
  if (!descriptors.length) {
    throw new ServerError(
      `${name} answers ${numKeypoints} joints and ${numClasses} classes, ` +
        "and nobody knows their names",
    );
  }
  return {
    name,
    version,
    signatures,
    descriptors,
    threshold: own?.score_threshold ?? descriptions.score_threshold,
  };
}
