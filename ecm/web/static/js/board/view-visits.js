// Every visit of the day that passes the filters, in order of time. Only what can be seen is rendered.

import { byId, h, setText, tag } from "../dom.js";
import { FINDINGS, NEEDS, STATES, capital, count, label } from "../strings.js";
import { hourMinute, otherDay, span } from "../time.js";
import { Windowed } from "./rows.js";

const HEADS = ["Planned", "State", capital(label.person), capital(label.worker), "Provider", "Actual", "Found"];

export class VisitsView {
  constructor() {
    setText(byId("all-title"), `All ${label.visits}`);
    this.body = h("tbody", { role: "rowgroup" });
    this.table = h("table", { class: "all-table", role: "table", "aria-labelledby": "all-title" },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row", "aria-rowindex": 1 }, HEADS.map((words) => h("th", { role: "columnheader", scope: "col" }, words)))),
      this.body);
    this.scroller = h("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": "Rows" }, this.table);
    this.empty = h("div", { class: "empty", hidden: true });
    byId("all").replaceChildren(this.scroller, this.empty);
    this.rows = new Windowed(this.scroller, this.body, { key: (visit) => visit.id, make: (visit, old) => this.#row(visit, old) });
  }

  render(list, needs, loading, date) {
    this.needs = needs;
    this.date = date;
    setText(byId("all-count"), loading ? "–" : count(list.length));
    this.table.setAttribute("aria-rowcount", list.length + 1);
    this.scroller.hidden = list.length === 0;
    this.empty.hidden = list.length > 0;
    setText(this.empty, loading ? "Loading…" : `No ${label.visits} here. Change or clear the filters to see more.`);
    this.rows.show(list);
  }

  /** Brings the list to about now. */
  scrollTo(index) {
    const height = this.body.querySelector("tr.visit")?.getBoundingClientRect().height ?? 44;
    this.scroller.scrollTop = Math.max(0, index - 2) * height;
  }

  #row(visit, old) {
    const need = this.needs.get(visit.id);
    const mark = `${visit.p} ${need?.kind ?? ""} ${this.date}`;
    if (old?.mark === mark) return old;
    const [words, iconName, tone] = need && ["second_worker_missing", "no_check_out", "late_soft"].includes(need.kind) ? NEEDS[need.kind] : STATES[visit.state];
    const findings = visit.findings.filter((finding) => finding.severity !== "quiet");
    const day = otherDay(visit, this.date);
    const element = h("tr", { role: "row", class: "visit" },
      cell("time", day && h("div", { class: "quiet small" }, day), h("span", { class: "number" }, span(visit.planned_start, visit.planned_end))),
      cell("state", tag(tone, iconName, words)),
      cell("person", h("a", { href: `/visits/${visit.id}` }, visit.person, visit.area && ` · ${visit.area}`), h("span", { class: "quiet small" }, ` ${visit.tier}${visit.double ? " · 2 workers" : ""}`)),
      cell("worker", visit.workers.map((worker) => worker.name).join(", ") || "—"),
      cell("provider", visit.provider.name),
      cell("actual", visit.actual_start ? `${hourMinute(visit.actual_start)}–${visit.actual_end ? hourMinute(visit.actual_end) : "now"}` : ""),
      cell("found", findings.slice(0, 2).map((finding) => found(finding)), findings.length > 2 && h("span", { class: "quiet small" }, ` +${findings.length - 2}`)));
    element.mark = mark;
    return element;
  }
}

function found(finding) {
  const element = tag(finding.severity, null, FINDINGS[finding.code]?.[0] ?? finding.text);
  element.title = finding.text;
  return element;
}

const cell = (name, ...children) => h("td", { role: "cell", class: `c-${name}` }, children);
