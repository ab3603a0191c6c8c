// Who needs someone now, worst first. Each row answers: what, how late, who and how much at risk, planned, care
// worker and how to reach them, who owns it, the one next action.

import { byId, focusIn, h, icon, place, setText, tag } from "../dom.js";
import { FUNDERS, NEEDS, capital, label, many } from "../strings.js";
import { counting, hourMinute, otherDay, span } from "../time.js";
import { grouped } from "./needs.js";
import { HeldOrder, Presence } from "./order.js";

const AT_ONCE = 100;
const PEOPLE_AT_MOST = 4;

export class NeedsView {
  #rows = new Map(); // key -> {element, signature, ticking}
  #order = new HeldOrder();
  #limit = AT_ONCE;
  #latest = [];
  #date = null;
  #visitsOf = new Map(); // key of a row -> ids of its visits

  constructor({ act, may, me, clock }) {
    this.act = act;
    this.may = may;
    this.me = me;
    this.clock = clock;
    this.body = h("tbody", { role: "rowgroup" });
    const heads = ["State", "Late by", capital(label.person), "Planned", capital(label.worker), "Owner", "Next"];
    this.table = h("table", { class: "needs-table", role: "table", "aria-labelledby": "needs-title" },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads.map((words, n) => h("th", { role: "columnheader", scope: "col", class: n === 1 ? "number" : "" }, words)))),
      this.body);
    this.empty = h("div", { class: "empty" });
    this.more = h("button", { type: "button", class: "button wide", hidden: true, onclick: () => { this.#limit += AT_ONCE; this.render(this.#latest, {}); } });
    this.presence = new Presence(this.body);
    byId("needs").replaceChildren(this.table, this.empty, this.more);
  }

  render(needs, { emptyWords = [], loading = false, date = this.#date }) {
    this.#latest = needs;
    this.#date = date;
    const groups = new Map(grouped(needs).map((group) => [group.key, group]));
    this.#follow(groups);
    const { keys, settled, waiting } = this.#order.next([...groups.keys()], this.presence.here());
    const shown = keys.slice(0, this.#limit);
    const before = this.#rows;
    this.#rows = new Map();
    for (const key of shown) {
      const row = this.#row(key, groups.get(key), before.get(key), settled.has(key));
      if (row) this.#rows.set(key, row);
    }
    const focused = focusIn(this.body);
    const [visit, action] = focused ? [focused.closest("tr").dataset.visit, focused.dataset.action] : [];
    this.presence.unchanged(() => {
      place(this.body, [...this.#rows.values()].map((row) => row.element));
      if (focused && !focused.isConnected) this.#focusAgain(visit, action);
    });
    const none = keys.length === 0;
    this.table.hidden = none;
    this.empty.hidden = !none;
    if (none) this.empty.replaceChildren(h("strong", {}, emptyWords[0] ?? ""), emptyWords[1] ?? "");
    this.more.hidden = keys.length <= shown.length;
    if (!this.more.hidden) setText(this.more, `Show more (${keys.length - shown.length} waiting below)`);
    const badge = byId("needs-count");
    setText(badge, loading ? "–" : String(needs.length));
    badge.className = `count ${loading ? "quiet" : needs.length ? "critical" : "zero"}`;
    setText(byId("needs-note"), settled.size || waiting ? `order held while you are here${waiting ? ` · ${waiting} new below` : ""}` : this.#note(needs));
    this.tick();
  }

  /** Every second: the minutes late count up. */
  tick() {
    const now = this.clock.now();
    for (const { ticking } of this.#rows.values()) if (ticking) setText(ticking.element, counting(now - ticking.since));
  }

  /** Lets the order go: other rows are asked for, and those that are left out are not settled. */
  letGo() {
    this.presence.forget();
  }

  /** A row whose visits now stand under another key is the same row. */
  #follow(groups) {
    const keyOf = new Map();
    for (const [key, { needs }] of groups) for (const need of needs) keyOf.set(need.visit.id, key);
    const names = new Map();
    for (const [key, visits] of this.#visitsOf) {
      const now = groups.has(key) ? undefined : visits.map((id) => keyOf.get(id)).find(Boolean);
      if (now && !this.#visitsOf.has(now)) names.set(key, now);
    }
    this.#order.rename(names);
    this.#visitsOf = new Map([...groups].map(([key, { needs }]) => [key, needs.map((need) => need.visit.id)]));
  }

  /** To the same control of the same row, else to a name: never to another action, which a second press would take. */
  #focusAgain(visit, action) {
    const row = this.body.querySelector(`[data-visit="${visit}"]`);
    const control = action && row?.querySelector(`[data-action="${action}"]`);
    (control || row?.querySelector("a") || this.body.querySelector("a") || byId("main")).focus({ preventScroll: true });
  }

  #note(needs) {
    const unowned = needs.filter((need) => !need.owner);
    const oldest = Math.min(...unowned.map((need) => need.since ?? Infinity));
    return unowned.length && Number.isFinite(oldest) ? `${unowned.length} unowned · oldest since ${hourMinute(oldest)}` : "";
  }

  #row(key, group, old, settled) {
    if (settled) {
      if (!old) return null;
      if (!old.settled) {
        old.element.classList.add("settled");
        for (const button of old.element.querySelectorAll("button")) button.ariaDisabled = "true";
        old.element.querySelector(".tag")?.replaceChildren(icon("good"), "Settled");
      }
      return { ...old, settled: true, ticking: null, signature: "" };
    }
    const signature = this.#date + group.needs.map(({ visit, kind, owner, open }) => `${visit.id} ${visit.p} ${kind} ${owner} ${open.map((alert) => alert.id)}`).join();
    if (old?.signature === signature) return old;
    return { ...this.#make(group.needs), signature };
  }

  #make(needs) {
    const [worst] = needs;
    const { visit } = worst;
    const several = needs.length > 1;
    const [words, iconName, tone] = NEEDS[worst.kind];
    const late = h("span", { class: "late-by" });
    const worker = visit.workers[0];
    const cells = [
      cell("state", tag(tone, iconName, several ? "Running late" : words)),
      cell("late number", worst.since ? late : ""),
      cell("person", ...(several ? this.#ofGroup(needs, worker) : this.#ofPerson(visit))),
      cell("planned", h("div", {}, several ? needs.map((need) => hourMinute(need.visit.planned_start)).slice(0, 4).join(", ") : [otherDay(visit, this.#date), span(visit.planned_start, visit.planned_end)].filter(Boolean).join(", ")),
        h("div", { class: "quiet small" }, several ? "one care worker, one cause" : worst.reason)),
      cell("worker", ...(several ? [h("div", {}, visit.provider.name)] : [h("div", {}, visit.workers.map((w) => w.name).join(", ") || "nobody rostered"), h("div", { class: "quiet small" }, visit.provider.name)])),
      cell(worst.owner ? "owner" : "owner nobody", worst.owner ?? "—"),
      cell("actions", h("div", { class: "actions" }, this.#actions(needs, worker))),
    ];
    const element = h("tr", { role: "row", class: `need ${tone}`, "data-visit": visit.id }, cells);
    return { element, settled: false, ticking: worst.since ? { element: late, since: worst.since } : null };
  }

  #ofPerson(visit) {
    const risk = [`tier ${visit.tier}`, visit.double && "double-up", visit.needs, visit.time_critical && "time-critical", visit.funder !== "council" && FUNDERS[visit.funder]];
    return [h("a", { class: "name", href: `/visits/${visit.id}` }, visit.person, visit.area && ` · ${visit.area}`), h("div", { class: "quiet small" }, risk.filter(Boolean).join(" · "))];
  }

  #ofGroup(needs, worker) {
    const people = needs.slice(0, PEOPLE_AT_MOST).map(({ visit }) => h("a", { href: `/visits/${visit.id}` }, `${visit.person} ${visit.area}`.trim()));
    return [h("div", { class: "name" }, `${worker.name} + ${many(needs.length, label.visit, label.visits)}`), h("div", { class: "quiet small people" }, people.flatMap((person, n) => (n ? [", ", person] : [person])), needs.length > PEOPLE_AT_MOST && ` and ${needs.length - PEOPLE_AT_MOST} more`)];
  }

  #actions(needs, worker) {
    const open = needs.flatMap((need) => need.open);
    const owned = needs.flatMap((need) => need.owned);
    const { visit } = needs[0];
    const actions = [];
    if (worker?.phone) actions.push(h("a", { class: "button", href: `tel:${worker.phone}`, "data-action": "phone", "aria-label": `Ring ${worker.name}, ${worker.phone}`, title: worker.phone }, icon("phone"), "Ring"));
    if (open.length && this.may) actions.push(this.#button("Acknowledge", "acknowledge", "primary", open));
    else if (owned.some((alert) => alert.owner === this.me) && this.may) actions.push(this.#button("Release", "release", "", owned.filter((alert) => alert.owner === this.me)));
    else actions.push(h("a", { class: "button", href: `/visits/${visit.id}`, "data-action": "open" }, "Open"));
    return actions;
  }

  #button(words, what, kind, alerts) {
    // Not `disabled` while it is under way: that would take the focus from whoever pressed it by keyboard.
    const button = h("button", { type: "button", class: `button ${kind}`, "data-action": what, onclick: async () => {
      if (button.ariaDisabled === "true") return;
      button.ariaDisabled = "true";
      if (!(await this.act(what, alerts))) button.ariaDisabled = "false";
    } }, words);
    return button;
  }
}

const cell = (name, ...children) => h("td", { role: "cell", class: `c-${name}` }, children);
