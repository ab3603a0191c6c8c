// Workers on the road: a lane each, their visits as blocks on one scale of time, and the red line of now.

import { byId, focusIn, h, place, setText } from "../dom.js";
import { NEEDS, STATES, count } from "../strings.js";
import { hourMinute, span } from "../time.js";

const BEFORE_MS = 90 * 60_000;
const AFTER_MS = 150 * 60_000;
const HOUR_MS = 3_600_000;
const LANES_AT_MOST = 60;

export class LanesView {
  #lanes = new Map(); // worker ref -> {element, signature}
  #from = null;

  constructor(clock) {
    this.clock = clock;
    this.axis = h("div", { class: "axis", "aria-hidden": "true" });
    this.now = h("div", { class: "now-line", "aria-hidden": "true" }, h("span", {}));
    this.list = h("ul", { class: "lane-list" });
    this.track = h("div", { class: "lane-scale" }, this.now);
    byId("lanes").replaceChildren(this.axis, this.track, this.list);
  }

  render(lanes, loading) {
    const focused = focusIn(this.list)?.getAttribute("href");
    const from = Math.floor((this.clock.now() - BEFORE_MS) / (HOUR_MS / 4)) * (HOUR_MS / 4);
    if (from !== this.#from) {
      this.#from = from;
      this.#lanes.clear();
      this.list.replaceChildren();
      this.#axis();
    }
    const to = from + BEFORE_MS + AFTER_MS;
    const inside = (visit) => visit.at < to && visit.until > from;
    const busy = [];
    for (const lane of lanes.values()) {
      const seen = [...lane.visits.values()].filter(({ visit }) => visit.state !== "cancelled" && inside(visit));
      if (seen.length) busy.push({ ...lane, seen, worst: Math.min(...seen.map(({ need }) => (need ? (need.tone === "critical" ? 0 : 1) : 2))) });
    }
    busy.sort((a, b) => a.worst - b.worst || (a.worker.name < b.worker.name ? -1 : 1));
    const reporting = busy.filter((lane) => lane.seen.some(({ visit }) => visit.actual_start)).length;
    setText(byId("lanes-note"), busy.length ? `${count(reporting)} of ${count(busy.length)} reporting${busy.length > LANES_AT_MOST ? ` · worst ${LANES_AT_MOST} shown` : ""}` : loading ? "" : "nobody is due near now");
    const before = this.#lanes;
    this.#lanes = new Map();
    for (const lane of busy.slice(0, LANES_AT_MOST)) {
      const signature = lane.seen.map(({ visit, need }) => `${visit.id} ${visit.p} ${need?.kind}`).join();
      const held = before.get(lane.worker.ref);
      this.#lanes.set(lane.worker.ref, held?.signature === signature ? held : { element: this.#lane(lane), signature });
    }
    place(this.list, [...this.#lanes.values()].map((lane) => lane.element));
    if (focused && !focusIn(this.list)) (this.list.querySelector(`a[href="${focused}"]`) ?? byId("lanes")).focus({ preventScroll: true });
    this.tick();
  }

  tick() {
    if (this.#from === null) return;
    this.now.style.left = this.#percent(this.clock.now());
    setText(this.now.firstChild, hourMinute(this.clock.now()));
  }

  #lane({ worker, provider, seen }) {
    const blocks = seen.map(({ visit, need }) => {
      const { at: start, until: end } = visit;
      const [words, , tone] = need ? NEEDS[need.kind] : STATES[visit.state];
      const block = h("a", { class: `block ${need ? tone : visit.state}`, href: `/visits/${visit.id}`, title: `${visit.person} ${visit.area}: ${words}, planned ${span(visit.planned_start, visit.planned_end)}` },
        visit.person, need || visit.state !== "planned" ? h("span", { class: "unseen" }, ` ${words}`) : "");
      block.style.left = this.#percent(start);
      block.style.width = `${(100 * (Math.max(end, start + 10 * 60_000) - start)) / (BEFORE_MS + AFTER_MS)}%`;
      return block;
    });
    return h("li", { class: "lane" }, h("div", { class: "lane-name", title: `${worker.name}, ${provider}` }, h("span", {}, worker.name), h("span", { class: "quiet small" }, provider)), h("div", { class: "lane-track" }, blocks));
  }

  #axis() {
    const ticks = [];
    for (let at = Math.ceil(this.#from / HOUR_MS) * HOUR_MS; at < this.#from + BEFORE_MS + AFTER_MS; at += HOUR_MS) {
      const tick = h("span", {}, hourMinute(at));
      tick.style.left = this.#percent(at);
      ticks.push(tick);
    }
    this.axis.replaceChildren(h("div", { class: "axis-track" }, ticks));
  }

  #percent(at) {
    return `${(100 * (at - this.#from)) / (BEFORE_MS + AFTER_MS)}%`;
  }
}
