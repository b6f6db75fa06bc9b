/** Lists beside the picture. */

import {BACKGROUND, areVisible, inconsistencies, labelAt} from "./labels.js";
import {partValues} from "./downloads.js";
import {counted, percent, readable, sentence} from "./texts.js";

/**
 * @param {string} tag
 * @param {Object} [properties] Of the element.
 * @param {...(Node|string)} children
 * @return {HTMLElement}
 */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/**
 * Lists the parts of a result, each with a box to show and hide it.
 *
 * @param {HTMLUListElement} list
 * @param {import("./downloads.js").Result} result
 * @param {import("./drawing.js").View} view
 * @param {function(number, boolean): void} onToggle Takes a class and whether
 *     it is to be shown.
 * @param {function(?number): void} onHighlight Takes a class that is pointed
 *     at, or null.
 */
export function listParts(list, result, view, onToggle, onHighlight) {
  const {labelMap, descriptor} = result;
  const parts = partValues(labelMap.labels, labelMap.labels.length, descriptor);
  const shown = parts.filter(({id}) => id !== BACKGROUND);
  const items = shown.map(({id, name, share}) => {
    const box = element("input", {
      type: "checkbox",
      checked: view.parts.has(id),
      onchange: () => onToggle(id, box.checked),
    });
    const swatch = element("span", {className: "swatch"});
    swatch.style.backgroundColor = `rgb(${descriptor.palette[id].join(" ")})`;
    const label = element(
      "label",
      {},
      box,
      swatch,
      element("span", {textContent: sentence(readable(name))}),
      element("span", {className: "share", textContent: percent(share)}),
    );
    label.dataset.part = name;
    // The keyboard points by its focus.
    box.onfocus = () => box.matches(":focus-visible") && onHighlight(id);
    box.onblur = () => onHighlight(null);
    return element(
      "li",
      {
        onpointerenter: () => onHighlight(id),
        onpointerleave: () => onHighlight(null),
      },
      label,
    );
  });
  if (!items.length) {
    items.push(element("li", {textContent: "None: all is background."}));
  }
  list.replaceChildren(...items);
}

/**
 * Lists the people of a result.
 *
 * @param {HTMLUListElement} list
 * @param {import("./downloads.js").Result} result
 * @param {import("./drawing.js").View} view
 * @param {function(number, boolean): void} onToggle Takes a person's number
 *     and whether to show them.
 */
export function listPeople(list, result, view, onToggle) {
  const items = result.people.map((_, number) => {
    const box = element("input", {
      type: "checkbox",
      checked: view.people.has(number),
      onchange: () => onToggle(number, box.checked),
    });
    return element("li", {}, element("label", {}, box, `Person ${number + 1}`));
  });
  list.replaceChildren(...items);
}

/**
 * Lists the joints of a result, of all people.
 *
 * @param {HTMLTableSectionElement} body
 * @param {import("./downloads.js").Result} result
 * @param {number} threshold
 */
export function listJoints(body, result, threshold) {
  const {people, labelMap, descriptor} = result;
  const rows = people.flatMap((person, number) => {
    const visible = areVisible(person, threshold);
    return descriptor.keypoints.map((name, joint) => {
      const label = labelAt(labelMap, person.xy[joint]);
      const place = descriptor.classes[label];
      return element(
        "tr",
        {className: visible[joint] ? "" : "absent"},
        element("th", {
          scope: "row",
          textContent:
            (people.length > 1 ? `${number + 1}: ` : "") +
            sentence(readable(name)),
        }),
        element("td", {textContent: person.scores[joint].toFixed(2)}),
        element("td", {
          textContent: visible[joint]
            ? sentence(readable(place ?? ""))
            : "Not found",
        }),
      );
    });
  });
  body.replaceChildren(...rows);
}

/**
 * Finds the joints of all people that lie on parts of something else.
 *
 * @param {import("./downloads.js").Result} result
 * @param {number} threshold
 * @param {number} tolerance Distance in head sizes that is near.
 * @return {(import("./labels.js").Warning & {person: number})[]}
 */
export function warningsOf(result, threshold, tolerance) {
  const {people, labelMap, descriptor} = result;
  return people.flatMap((person, number) =>
    inconsistencies(
      labelMap,
      person,
      areVisible(person, threshold),
      descriptor,
      tolerance,
    ).map((warning) => ({person: number, ...warning})),
  );
}

/**
 * Lists what does not fit together.
 *
 * @param {HTMLUListElement} list
 * @param {import("./downloads.js").Result} result
 * @param {(import("./labels.js").Warning & {person: number})[]} warnings
 */
export function listWarnings(list, {people, descriptor}, warnings) {
  const items = warnings.map(({person, joint, label, expected}) => {
    const who = people.length > 1 ? `Person ${person + 1}: ` : "";
    const name = readable(descriptor.keypoints[joint]);
    const place = readable(descriptor.classes[label] ?? "nothing");
    const others = expected.map(readable).join(", ");
    return element(
      "li",
      {},
      `${sentence(`${who}${name}`)} lies on ${place} `,
      element("span", {
        className: "hint",
        textContent: `(expected: ${others})`,
      }),
    );
  });
  list.replaceChildren(...items);
}

/**
 * @param {import("./downloads.js").Result} result
 * @param {number} threshold
 * @param {number} numWarnings
 * @return {string} What was found, in a sentence.
 */
export function summary(result, threshold, numWarnings) {
  const {people, labelMap, descriptor, picture} = result;
  const parts = partValues(labelMap.labels, labelMap.labels.length, descriptor);
  const numParts = parts.filter(({id}) => id).length;
  const visible = people.flatMap((person) => areVisible(person, threshold));
  const found = visible.filter(Boolean).length;
  const whom = people.length > 1 ? `${people.length} people, ` : "";
  const warned = numWarnings
    ? `; ${counted(numWarnings, "joint lies", "joints lie")} on an ` +
      "unexpected part"
    : "";
  return (
    `${picture.name}: ${whom}${counted(numParts, "part")}, ` +
    `${found} of ${counted(visible.length, "joint")}${warned}.`
  );
}
