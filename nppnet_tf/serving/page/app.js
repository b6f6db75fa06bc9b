/** The page: from a picture that is given to it, to what is seen and saved. */

import {Client} from "./api.js";
import {
  allParts,
  cutOut,
  instancesPng,
  jsonBlob,
  openposeDocument,
  palettePng,
  predictionDocument,
  save,
} from "./downloads.js";
import {Stage} from "./drawing.js";
import {countLabels} from "./labels.js";
import {Marking} from "./marking.js";
import {firstModel, openModel} from "./models.js";
import {
  element,
  listJoints,
  listParts,
  listPeople,
  listWarnings,
  summary,
  warningsOf,
} from "./panel.js";
import {cutPeople, layBack} from "./people.js";
import {asShown, openPicture, stem} from "./pictures.js";
import {bytesText, counted, oneLine, readable, sentence} from "./texts.js";

/** Results that are kept: each holds a picture in memory. */
const MOST_RESULTS = 24;
const THUMBNAIL_SIDE = 112;

/** Pictures that a model answers in one request. */
const MOST_PEOPLE = 64;

/** Steps in which the keyboard goes over a picture. */
const PROBE_STEPS = 40;

const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

const byId = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.client = new Client();
    /** What the server tells of names, see `Client.descriptions`. */
    this.descriptions = null;
    /** @type {?import("./models.js").Model} */
    this.model = null;
    /** @type {?Stage} */
    this.stage = null;
    /** @type {?Marking} */
    this.marking = null;
    /** @type {import("./downloads.js").Result[]} */
    this.results = [];
    /** @type {?import("./downloads.js").Result} */
    this.result = null;
    /** @type {?import("./drawing.js").View} */
    this.view = null;
    /** @type {File[]} Pictures that wait. */
    this.waiting = [];
    this.isWorking = false;
    this.numDone = 0;
  }

  /** Finds out what the server offers, and listens. */
  async start() {
    this.#listenForPictures();
    this.#listenToView();
    this.#listenToStage();
    this.#listenToPeople();
    this.#listenToDownloads();
    byId("settings-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#connect();
    });
    byId("names").addEventListener("change", () => this.#rename());
    byId("threshold").addEventListener("change", () => this.#refresh());
    await this.#connect();
  }

  /** Asks the server for its model, and the model for what it answers. */
  async #connect() {
    this.client.token = byId("token").value.trim();
    this.#complain(null);
    try {
      if (!this.descriptions) {
        this.descriptions = await this.client.descriptions();
        this.#offerSettings();
      }
      const name = byId("model").value.trim();
      this.model = await openModel(this.client, name, this.descriptions);
    } catch (error) {
      this.model = null;
      byId("model-line").textContent = "No model answers.";
      byId("settings").open = true;
      this.#complain(error);
      return;
    }
    const {name, version, descriptors, threshold} = this.model;
    byId("model-line").textContent = `Model ${name}, version ${version}`;
    byId("threshold").value = String(threshold);
    byId("names").replaceChildren(
      ...descriptors.map(
        ({name, keypoints, classes}) =>
          new Option(
            `${name} (${classes.length} classes, ${keypoints.length} joints)`,
            name,
          ),
      ),
    );
    this.#work();
  }

  #offerSettings() {
    const {models, openpose, colors} = this.descriptions;
    this.stage = new Stage(byId("stage"), colors);
    this.marking = new Marking(this.stage, () => this.#tellOfMarks());
    byId("passed-on").hidden = !this.descriptions.is_passed_on;
    const wishes = new URLSearchParams(location.search);
    byId("model").value = firstModel(this.descriptions, wishes);
    byId("models").replaceChildren(...models.map(({name}) => new Option(name)));
    byId("layout").replaceChildren(
      ...Object.keys(openpose.layouts).map((name) => new Option(name)),
    );
  }

  // Pictures in.

  #listenForPictures() {
    for (const id of ["choose", "photograph"]) {
      byId(id).addEventListener("change", ({target}) => {
        this.add(target.files);
        // So that the same file can be chosen again.
        target.value = "";
      });
    }
    document.addEventListener("paste", ({clipboardData}) => {
      this.add(clipboardData.files);
    });
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      document.body.classList.add("is-dragged");
    });
    for (const name of ["dragleave", "drop", "dragend"]) {
      document.addEventListener(name, () => {
        document.body.classList.remove("is-dragged");
      });
    }
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      this.add(event.dataTransfer.files);
    });
  }

  /** @param {Iterable<File>} files Pictures to ask about, one by one. */
  add(files) {
    this.waiting.push(...files);
    this.#work();
  }

  /** Asks about the pictures that wait, one after the other. */
  async #work() {
    if (this.isWorking || !this.model || !this.waiting.length) {
      return;
    }
    this.isWorking = true;
    this.numDone = 0;
    this.#complain(null);
    while (this.waiting.length && this.model) {
      await this.#ask(this.waiting.shift());
      ++this.numDone;
    }
    this.isWorking = false;
  }

  /** @param {File} file Picture to ask about. */
  async #ask(file) {
    const total = this.numDone + this.waiting.length + 1;
    const which = total > 1 ? ` (${this.numDone + 1} of ${total})` : "";
    const name = oneLine(file.name || "the picture");
    await this.#busy(`Asking about ${name}${which}…`, async () => {
      const longest = Number(byId("longest-side").value);
      this.#keep(await this.#answered(await openPicture(file, longest)));
    });
  }

  /**
   * Does something that takes a while, and says so.
   *
   * @param {string} text What is being done.
   * @param {function(): Promise<void>} work
   */
  async #busy(text, work) {
    this.#say(text);
    byId("progress").hidden = false;
    try {
      await work();
    } catch (error) {
      this.#say("");
      this.#complain(error);
    } finally {
      byId("progress").hidden = true;
    }
  }

  /**
   * @param {import("./pictures.js").Picture} picture
   * @return {Promise<import("./downloads.js").Result>}
   */
  async #answered(picture) {
    const {name, signatures} = this.model;
    const start = performance.now();
    let [answer] = await this.client.predict(name, signatures, [picture]);
    const {width, height} = picture.canvas;
    if (answer.labelMap.width !== width || answer.labelMap.height !== height) {
      // Turned otherwise than the browser turns it.
      picture = await asShown(picture);
      [answer] = await this.client.predict(name, signatures, [picture]);
    }
    const people = answer.poses.map((pose) => ({...pose, box: null}));
    return {
      picture,
      labelMap: answer.labelMap,
      people,
      instances: null,
      descriptor: this.#descriptor(people[0]),
      bytes: answer.bytes,
      seconds: (performance.now() - start) / 1000,
    };
  }

  /**
   * @param {import("./downloads.js").Person} [person] Whose joints are named.
   * @return {import("./labels.js").Descriptor} The names that are chosen.
   */
  #descriptor(person) {
    const chosen = this.model.descriptors.find(
      ({name}) => name === byId("names").value,
    );
    if (person && chosen.keypoints.length !== person.scores.length) {
      throw new Error(
        `The model answers ${person.scores.length} joints, ${chosen.name} ` +
          `has ${chosen.keypoints.length}: choose other names in Settings`,
      );
    }
    return chosen;
  }

  /** @param {import("./downloads.js").Result} result A new one. */
  #keep(result) {
    this.results.push(result);
    const thumbnail = element("canvas");
    const {width, height} = result.picture.canvas;
    const scale = THUMBNAIL_SIDE / height;
    thumbnail.width = Math.round(width * scale);
    thumbnail.height = THUMBNAIL_SIDE;
    thumbnail
      .getContext("2d")
      .drawImage(result.picture.canvas, 0, 0, thumbnail.width, THUMBNAIL_SIDE);
    const button = element("button", {
      type: "button",
      title: result.picture.name,
      onclick: () => this.#show(result),
    });
    button.setAttribute("aria-label", result.picture.name);
    button.append(thumbnail);
    byId("strip").append(element("li", {}, button));
    if (this.results.length > MOST_RESULTS) {
      this.results.shift();
      byId("strip").firstElementChild.remove();
    }
    byId("earlier").hidden = this.results.length < 2;
    document.body.classList.add("has-results");
    this.#show(result);
  }

  // A result out.

  /** @param {import("./downloads.js").Result} result */
  #show(result) {
    this.result = result;
    result.parts ??= allParts(result.descriptor);
    result.shown ??= new Set(result.people.keys());
    this.view = {
      opacity: Number(byId("opacity").value) / 100,
      parts: result.parts,
      people: result.shown,
      hasSkeleton: byId("skeleton").checked,
      hasScores: byId("scores").checked,
      threshold: Number(byId("threshold").value),
      highlighted: null,
      probe: null,
      alarming: new Set(),
      boxes: [],
    };
    byId("result").hidden = false;
    byId("result-title").textContent = result.picture.name;
    byId("facts").textContent = factsOf(result);
    [...byId("strip").querySelectorAll("button")].forEach((button, number) => {
      button.setAttribute("aria-current", this.results[number] === result);
    });
    this.#refresh();
    this.marking.setActive(false);
    this.#say(summary(result, this.view.threshold, this.warnings.length));
  }

  /** Shows the result anew, after a setting has changed. */
  #refresh() {
    const {result, view} = this;
    if (!result) {
      return;
    }
    view.threshold = Number(byId("threshold").value);
    const {tolerance} = this.descriptions;
    this.warnings = warningsOf(result, view.threshold, tolerance);
    byId("warnings-box").hidden = !this.warnings.length;
    listWarnings(byId("warnings"), result, this.warnings);
    view.alarming = new Set(
      this.warnings.map(({person, joint}) => `${person} ${joint}`),
    );
    this.#listParts();
    listPeople(byId("people"), result, view, (number, isShown) => {
      change(result.shown, number, isShown);
      this.stage.draw();
    });
    byId("people").hidden = result.people.length < 2;
    byId("save-instances").hidden = !result.instances;
    listJoints(byId("joints"), result, view.threshold);
    this.stage.show(result, view);
  }

  #listParts() {
    const {result, view} = this;
    listParts(
      byId("parts"),
      result,
      view,
      (part, isShown) => {
        change(result.parts, part, isShown);
        this.#tellOfCutOut();
        this.stage.draw();
      },
      (part) => {
        view.highlighted = part;
        this.stage.draw();
      },
    );
    this.#tellOfCutOut();
  }

  #tellOfCutOut() {
    const {parts, labelMap} = this.result;
    const counts = countLabels(labelMap.labels);
    const number = [...parts].filter((part) => counts[part]).length;
    byId("save-cut-out").disabled = !number;
    byId("cut-out-hint").textContent = number
      ? `The cut-out keeps the ${counted(number, "part")} shown above; all ` +
        "else becomes transparent."
      : "Show a part to cut it out.";
  }

  /** Calls parts and joints by the names that are chosen. */
  #rename() {
    const fitting = this.results.filter(
      ({people}) =>
        people[0].scores.length === this.#descriptor().keypoints.length,
    );
    for (const result of fitting) {
      result.descriptor = this.#descriptor();
    }
    this.#refresh();
  }

  #listenToView() {
    byId("opacity").addEventListener("input", ({target}) => {
      target.setAttribute("aria-valuetext", `${target.value} %`);
      this.view.opacity = Number(target.value) / 100;
      this.stage.draw();
    });
    for (const [id, name] of [
      ["skeleton", "hasSkeleton"],
      ["scores", "hasScores"],
    ]) {
      byId(id).addEventListener("change", ({target}) => {
        this.view[name] = target.checked;
        this.stage.draw();
      });
    }
    byId("all-parts").addEventListener("click", () => {
      this.result.parts.clear();
      for (const part of allParts(this.result.descriptor)) {
        this.result.parts.add(part);
      }
      this.#refresh();
    });
    byId("no-parts").addEventListener("click", () => {
      this.result.parts.clear();
      this.#refresh();
    });
  }

  // Several people.

  #listenToPeople() {
    byId("mark").addEventListener("click", () => {
      this.marking.setActive(!this.marking.isActive);
      if (this.marking.isActive) {
        // On a phone it is far above the button.
        byId("stage").scrollIntoView({block: "nearest"});
        byId("stage").focus({preventScroll: true});
      }
    });
    byId("unmark").addEventListener("click", () => this.marking.undo());
    byId("ask-people").addEventListener("click", () => this.#askPeople());
  }

  /** Shows how many people are marked, and what can be done about them. */
  #tellOfMarks() {
    const {isActive, boxes} = this.marking;
    byId("mark").setAttribute("aria-pressed", isActive);
    byId("mark").textContent = isActive ? "Stop marking" : "Mark people";
    byId("mark-help").hidden = !isActive;
    byId("unmark").hidden = !isActive || !boxes.length;
    byId("ask-people").hidden = !isActive || !boxes.length;
    byId("ask-people").textContent = `Ask about ${
      boxes.length === 1 ? "this person" : `these ${boxes.length}`
    }`;
    byId("marked").textContent =
      isActive && boxes.length
        ? `${counted(boxes.length, "person", "people")} marked.`
        : "";
  }

  /** Asks about the people that are marked, each alone. */
  async #askPeople() {
    const {result} = this;
    const boxes = this.marking.boxes.slice(0, MOST_PEOPLE);
    if (this.isWorking || !this.model) {
      return;
    }
    this.isWorking = true;
    this.#complain(null);
    const whom = counted(boxes.length, "person", "people");
    await this.#busy(`Asking about ${whom}…`, async () => {
      const {name, signatures} = this.model;
      const start = performance.now();
      const crops = await cutPeople(result.picture, boxes);
      const answers = await this.client.predict(name, signatures, crops);
      Object.assign(result, layBack(result.labelMap, crops, answers), {
        bytes: answers[0].bytes,
        seconds: (performance.now() - start) / 1000,
        shown: null,
      });
      this.#show(result);
      byId("stage").focus();
    });
    this.isWorking = false;
    this.#work();
  }

  // What is under the pointer, or under the keyboard's cross.

  #listenToStage() {
    const canvas = byId("stage");
    for (const name of ["pointermove", "pointerdown"]) {
      canvas.addEventListener(name, (event) => {
        this.#tellUnder(this.stage.placeOf(event));
      });
    }
    canvas.addEventListener("pointerleave", () => {
      byId("under").hidden = true;
    });
    canvas.addEventListener("blur", () => this.#probe(null));
    canvas.addEventListener("keydown", (event) => {
      const step = ARROWS[event.key];
      if (step && this.result) {
        event.preventDefault();
        this.#probe(step, event.shiftKey);
      } else if (event.key === "Escape") {
        this.marking.dropDraft();
        this.#probe(null);
      } else if (event.key === "Enter" && this.view?.probe) {
        this.#markCorner();
      }
    });
  }

  /**
   * @param {?number[]} step Direction to go; null to look nowhere.
   * @param {boolean} [isFine] Whether to go by single pixels.
   */
  #probe(step, isFine = false) {
    if (!step) {
      if (this.view?.probe) {
        this.view.probe = null;
        byId("under").hidden = true;
        this.stage.draw();
      }
      return;
    }
    const {width, height} = this.result.labelMap;
    const size = isFine ? 1 : Math.max(width, height) / PROBE_STEPS;
    const [x, y] = this.view.probe ?? [width / 2, height / 2].map(Math.floor);
    this.view.probe = [
      Math.min(Math.max(x + step[0] * size, 0), width - 1),
      Math.min(Math.max(y + step[1] * size, 0), height - 1),
    ];
    this.marking.stretch(this.view.probe);
    this.stage.draw();
    byId("under-keyboard").textContent = this.#tellUnder(this.view.probe);
  }

  /** Sets a corner of a box where the keyboard's cross is. */
  #markCorner() {
    if (this.marking.isActive) {
      const isBegun = this.marking.setCorner(this.view.probe);
      byId("under-keyboard").textContent = isBegun
        ? "Corner set; go to the opposite one and press Enter."
        : byId("marked").textContent;
    }
  }

  /**
   * Writes beside a place what is there.
   *
   * @param {number[]} place In pixels of the picture.
   * @return {string} The same text.
   */
  #tellUnder(place) {
    const {descriptor, people, labelMap} = this.result;
    const {label, joint, person} = this.stage.at(place);
    const words = [sentence(readable(descriptor.classes[label] ?? "nothing"))];
    if (joint !== null) {
      const score = people[person].scores[joint].toFixed(2);
      words.push(`${readable(descriptor.keypoints[joint])} (${score})`);
    }
    const under = byId("under");
    under.textContent = words.join(" · ");
    under.hidden = false;
    const {clientWidth, clientHeight} = byId("stage");
    const scale = clientWidth / labelMap.width;
    const rightmost = clientWidth - under.offsetWidth;
    const left = Math.min(place[0] * scale + 14, rightmost);
    const top = place[1] * scale + 18;
    const isLow = top + under.offsetHeight > clientHeight;
    under.style.left = `${Math.max(0, left)}px`;
    under.style.top = `${isLow ? top - 2 * under.offsetHeight - 10 : top}px`;
    return under.textContent;
  }

  // Files out.

  #listenToDownloads() {
    const files = {
      "save-parts": (result) => [".png", palettePng(result)],
      "save-cut-out": (result) => ["_cutout.png", cutOut(result, result.parts)],
      "save-json": (result) => [
        ".json",
        jsonBlob(predictionDocument(result, this.view.threshold)),
      ],
      "save-instances": (result) => [
        "_instances.png",
        instancesPng(result, this.descriptions.colors.people),
      ],
      "save-openpose": (result) => [
        "_openpose.json",
        jsonBlob(
          openposeDocument(
            result,
            this.view.threshold,
            this.descriptions.openpose,
            byId("layout").value,
          ),
        ),
      ],
    };
    for (const [id, make] of Object.entries(files)) {
      byId(id).addEventListener("click", async () => {
        try {
          const [ending, blob] = make(this.result);
          save(await blob, `${stem(this.result.picture.name)}${ending}`);
        } catch (error) {
          this.#complain(error);
        }
      });
    }
  }

  /** @param {string} text News, also for those who do not see the page. */
  #say(text) {
    byId("status").textContent = text;
  }

  /** @param {?Error} error What went wrong; null for nothing any more. */
  #complain(error) {
    byId("problem").hidden = !error;
    byId("problem").textContent = error ? `${oneLine(error.message)}.` : "";
  }
}

/**
 * @param {Set<number>} set
 * @param {number} value
 * @param {boolean} isInside Whether it belongs there.
 */
function change(set, value, isInside) {
  if (isInside) {
    set.add(value);
  } else {
    set.delete(value);
  }
}

/**
 * @param {import("./downloads.js").Result} result
 * @return {string} Its size and what it cost.
 */
function factsOf({picture, labelMap, bytes, seconds}) {
  const from = picture.isShrunk
    ? ` (shrunk from ${picture.originalSize.join(" × ")})`
    : "";
  return (
    `${labelMap.width} × ${labelMap.height} pixels${from} · ` +
    `answer of ${bytesText(bytes)} in ${seconds.toFixed(1)} s`
  );
}

new Page().start();
