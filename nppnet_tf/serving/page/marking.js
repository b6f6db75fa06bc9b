/** Boxes that a person draws around people, by pointer or by keyboard. */

/** Sides of the smallest box, in pixels of the picture. */
const LEAST_SIDE = 8;

/** Marks people on the picture of a stage. */
export class Marking {
  /**
   * @param {import("./drawing.js").Stage} stage
   * @param {function(): void} onChange Called when boxes come or go.
   */
  constructor(stage, onChange) {
    this.isActive = false;
    /** @type {number[][]} Left, top, right, bottom in pixels. */
    this.boxes = [];
    this.#stage = stage;
    this.#onChange = onChange;
    const canvas = stage.canvas;
    canvas.addEventListener("pointerdown", (event) => {
      if (this.isActive && event.isPrimary) {
        canvas.setPointerCapture(event.pointerId);
        this.setCorner(stage.placeOf(event));
      }
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.isPrimary) {
        this.stretch(stage.placeOf(event));
      }
    });
    canvas.addEventListener("pointerup", (event) => {
      if (this.#corner && event.isPrimary) {
        this.setCorner(stage.placeOf(event));
      }
    });
    canvas.addEventListener("pointercancel", () => this.dropDraft());
  }

  #stage;
  #onChange;
  /** @type {?number[]} The corner that is set. */
  #corner = null;
  /** @type {?number[]} The box that is being drawn. */
  #draft = null;

  /** @param {boolean} isActive Whether pointers mark people from now on. */
  setActive(isActive) {
    this.isActive = isActive;
    this.boxes = [];
    this.#stage.canvas.classList.toggle("is-marked", isActive);
    this.dropDraft();
    this.#onChange();
  }

  /** Takes the last box away. */
  undo() {
    this.boxes.pop();
    this.#show();
    this.#onChange();
  }

  /** Forgets a box that is begun. */
  dropDraft() {
    this.#corner = null;
    this.#draft = null;
    this.#show();
  }

  /**
   * Begins a box, or ends the one that is begun.
   *
   * @param {number[]} place In pixels of the picture.
   * @return {boolean} Whether a box is begun.
   */
  setCorner(place) {
    if (!this.#corner) {
      this.#corner = place;
      return true;
    }
    this.stretch(place);
    const [left, top, right, bottom] = this.#draft;
    if (right - left >= LEAST_SIDE && bottom - top >= LEAST_SIDE) {
      this.boxes.push(this.#draft);
      this.#onChange();
    }
    this.dropDraft();
    return false;
  }

  /** @param {number[]} place Where the box that is begun would end. */
  stretch(place) {
    if (!this.#corner) {
      return;
    }
    const {width, height} = this.#stage.result.labelMap;
    // Sides lie between pixels, places in their centers.
    const within = ([x, y]) => [
      Math.min(Math.max(Math.round(x + 0.5), 0), width),
      Math.min(Math.max(Math.round(y + 0.5), 0), height),
    ];
    const [a, b] = [within(this.#corner), within(place)];
    this.#draft = [
      Math.min(a[0], b[0]),
      Math.min(a[1], b[1]),
      Math.max(a[0], b[0]),
      Math.max(a[1], b[1]),
    ];
    this.#show();
  }

  #show() {
    const view = this.#stage.view;
    if (view) {
      view.boxes = [...this.boxes, ...(this.#draft ? [this.#draft] : [])];
      this.#stage.draw();
    }
  }
}
