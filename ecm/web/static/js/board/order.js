// Rows never move under the pointer. While somebody points at the list or is in it by keyboard, the order is held:
// new rows wait at the end, and rows that are settled stay, marked, until the list is let go. Pure.

export class HeldOrder {
  #keys = [];

  /** A row goes on under another key, as when its visit joins a worker's other late ones: it keeps its place. */
  rename(names) {
    this.#keys = [...new Set(this.#keys.map((key) => names.get(key) ?? key))];
  }

  /** Keys in the order to show, and which of them are there only because the order is held. */
  next(sorted, held) {
    if (!held) {
      this.#keys = sorted;
      return { keys: sorted, settled: new Set(), waiting: 0 };
    }
    const current = new Set(sorted);
    const known = new Set(this.#keys);
    const fresh = sorted.filter((key) => !known.has(key));
    this.#keys = [...this.#keys, ...fresh];
    return { keys: this.#keys, settled: new Set(this.#keys.filter((key) => !current.has(key))), waiting: fresh.length };
  }
}

const POINTER_REST_MS = 8_000;
const FOCUS_REST_MS = 20_000;

/** Whether somebody is at the list just now; a mouse left lying on it does not count for long. */
export class Presence {
  #pointerAt = -Infinity;
  #keyAt = -Infinity;

  constructor(element) {
    this.element = element;
    element.addEventListener("pointermove", () => (this.#pointerAt = performance.now()));
    element.addEventListener("pointerleave", () => (this.#pointerAt = -Infinity));
    for (const kind of ["focusin", "keydown"]) element.addEventListener(kind, () => (this.#keyAt = performance.now()));
  }

  /** As though nobody were here: what is wished for has changed, and the order with it. */
  forget() {
    this.#pointerAt = this.#keyAt = -Infinity;
  }

  /** Does `work`, which may move the focus, without that counting as somebody being here. */
  unchanged(work) {
    const at = this.#keyAt;
    work();
    this.#keyAt = at;
  }

  here() {
    const now = performance.now();
    const focused = this.element.contains(document.activeElement);
    return now - this.#pointerAt < POINTER_REST_MS || (focused && now - this.#keyAt < FOCUS_REST_MS);
  }
}
