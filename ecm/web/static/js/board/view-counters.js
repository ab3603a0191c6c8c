// The counts, each a button that filters by it.

import { byId, h, setText } from "../dom.js";
import { COUNTERS, count } from "../strings.js";

const UNDER = {
  without_care: (c) => `${c.without_care_a} tier A · ${c.without_care_double} double-up`,
  late: (c) => `${c.late_unowned} unowned`,
  missed: (c) => `${c.missed_owned} owned`,
  in_progress: (c) => (c.overrunning ? `${c.overrunning} past planned end` : "all within plan"),
  completed: (c) => (c.completed ? `${((100 * c.at_home) / c.completed).toFixed(1)} % at the home` : "none yet"),
  short: () => "below what was agreed",
  to_come: () => "planned, still to start",
};

export class CountersView {
  #parts = {};

  constructor(choose) {
    for (const [name, [words, tone]] of Object.entries(COUNTERS)) {
      const [number, under] = [h("span", { class: "big" }, "–"), h("span", { class: "under" })];
      const button = h("button", { type: "button", class: `counter ${tone}`, "aria-pressed": "false", "data-counter": name, onclick: () => choose(name) },
        h("span", { class: "name" }, words), number, under);
      this.#parts[name] = { button, number, under };
      byId("counters").append(button);
    }
  }

  /** While the day is being read nothing is counted: half a count would look like a good one. */
  render(counts, show, loading) {
    for (const [name, { button, number, under }] of Object.entries(this.#parts)) {
      setText(number, loading ? "–" : count(counts[name]));
      setText(under, loading ? "" : UNDER[name](counts));
      const pressed = String(show === name);
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
      button.classList.toggle("none", counts[name] === 0);
    }
  }
}
