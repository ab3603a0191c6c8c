// A long list that renders only what can be seen: rows of one height between two spacers.

import { focusIn, h, place } from "../dom.js";

const EXTRA = 8;

export class Windowed {
  #scroller; #body; #above; #below; #rows = []; #make; #key; #shown = new Map(); #height = 0; #queued = false;

  /** `make(row, old)` gives a <tr>, the old one when it may stay; `key(row)` tells rows apart. */
  constructor(scroller, body, { make, key }) {
    this.#scroller = scroller;
    this.#body = body;
    this.#make = make;
    this.#key = key;
    this.#above = spacer();
    this.#below = spacer();
    body.replaceChildren(this.#above, this.#below);
    scroller.addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => { this.#height = 0; this.#soon(); }).observe(scroller);
  }

  show(rows) {
    this.#rows = rows;
    this.render();
  }

  render() {
    const { scrollTop, clientHeight } = this.#scroller;
    const height = (this.#height ||= this.#measure());
    const first = Math.max(0, Math.min(Math.floor(scrollTop / height), this.#rows.length - 1) - EXTRA);
    const last = Math.min(this.#rows.length, first + Math.ceil(clientHeight / height) + 2 * EXTRA);
    const after = new Map();
    for (let at = first; at < last; at += 1) {
      const key = this.#key(this.#rows[at]);
      const element = this.#make(this.#rows[at], this.#shown.get(key));
      element.setAttribute("aria-rowindex", at + 2);
      after.set(key, element);
    }
    const focused = focusIn(this.#body);
    const held = focused && [...this.#shown].find(([, row]) => row.contains(focused))?.[0];
    this.#shown = after;
    place(this.#body, [this.#above, ...after.values(), this.#below]);
    this.#above.firstChild.style.height = `${first * height}px`;
    this.#below.firstChild.style.height = `${(this.#rows.length - last) * height}px`;
    this.#above.hidden = first === 0;
    this.#below.hidden = last === this.#rows.length;
    // A row that changed is another element, and one that scrolled away is none.
    if (focused && !focused.isConnected) (after.get(held)?.querySelector("a") ?? this.#scroller).focus({ preventScroll: true });
  }

  #measure() {
    const sample = this.#shown.values().next().value ?? (this.#rows.length ? this.#make(this.#rows[0]) : null);
    if (!sample) return 44;
    const inside = sample.isConnected;
    if (!inside) this.#body.append(sample);
    const height = sample.getBoundingClientRect().height || 44;
    if (!inside) sample.remove();
    return height;
  }

  #soon() {
    if (this.#queued) return;
    this.#queued = true;
    requestAnimationFrame(() => {
      this.#queued = false;
      this.render();
    });
  }
}

function spacer() {
  return h("tr", { class: "spacer", "aria-hidden": "true", hidden: true }, h("td", { colspan: 9 }));
}
