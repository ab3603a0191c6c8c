// Everything the views read, kept up to date row by row: what passes the filters in order of time, the counts,
// who needs someone, and whose visits are on which worker's lane. A change costs one visit, not twenty thousand.

import { needOf, worstFirst } from "./needs.js";

export class Index {
  #store;
  #entries = new Map(); // visit id -> {visit, counted, need, lanes, inList}
  list = []; // visits that pass every filter, by planned start
  needs = new Map(); // visit id -> need, of visits that pass
  lanes = new Map(); // worker ref -> {worker, provider, visits: Map}
  counts = emptyCounts();
  providers = new Map();
  stoodDown = new Map(); // alert id -> {alert, visit}

  constructor(store) {
    this.#store = store;
    this.filter = () => true;
    this.showing = () => true;
  }

  rebuild() {
    this.#entries.clear();
    this.list = [];
    this.needs.clear();
    this.lanes.clear();
    this.stoodDown.clear();
    this.counts = emptyCounts();
    for (const visit of this.#store.visits.values()) this.#add(visit, false);
    this.list.sort(byTime);
  }

  update(visitId) {
    this.#remove(visitId);
    const visit = this.#store.visits.get(visitId);
    if (visit) this.#add(visit, true);
  }

  sortedNeeds() {
    return [...this.needs.values()].sort(worstFirst);
  }

  #add(visit, inOrder) {
    this.providers.set(visit.provider.ref, visit.provider.name);
    if (!this.filter(visit)) return;
    const alerts = this.#store.alertsFor(visit.id);
    const need = needOf(visit, alerts);
    const entry = { visit, need, counted: countersOf(visit, need), inList: false };
    for (const counter of entry.counted) this.counts[counter] += 1;
    for (const alert of alerts) if (alert.state === "stood_down") this.stoodDown.set(alert.id, { alert, visit });
    for (const worker of visit.workers) this.#lane(worker, visit).visits.set(visit.id, { visit, need });
    if (this.showing(visit, need, entry.counted)) {
      entry.inList = true;
      if (need) this.needs.set(visit.id, need);
      if (inOrder) this.list.splice(placeOf(this.list, visit), 0, visit);
      else this.list.push(visit);
    }
    this.#entries.set(visit.id, entry);
  }

  #remove(visitId) {
    const entry = this.#entries.get(visitId);
    if (!entry) return;
    this.#entries.delete(visitId);
    this.needs.delete(visitId);
    for (const counter of entry.counted) this.counts[counter] -= 1;
    for (const worker of entry.visit.workers) {
      const lane = this.lanes.get(worker.ref);
      lane?.visits.delete(visitId);
      if (lane?.visits.size === 0) this.lanes.delete(worker.ref);
    }
    for (const [id, held] of this.stoodDown) if (held.visit.id === visitId) this.stoodDown.delete(id);
    if (entry.inList) this.list.splice(placeOf(this.list, entry.visit), 1);
  }

  #lane(worker, visit) {
    let lane = this.lanes.get(worker.ref);
    if (!lane) this.lanes.set(worker.ref, (lane = { worker, provider: visit.provider.name, visits: new Map() }));
    return lane;
  }
}

export function countersOf(visit, need) {
  const counters = [];
  const state = visit.state;
  if (state === "late" || (state === "missed" && !need?.owner)) {
    counters.push("without_care");
    if (visit.tier === "A") counters.push("without_care_a");
    if (visit.double) counters.push("without_care_double");
  }
  if (state === "late") counters.push("late");
  if (state === "late" && !need?.owner) counters.push("late_unowned");
  if (state === "missed") counters.push("missed");
  if (state === "missed" && need?.owner) counters.push("missed_owned");
  if (state === "in_progress" || state === "overrunning") counters.push("in_progress");
  if (state === "overrunning") counters.push("overrunning");
  if (state === "completed") counters.push("completed");
  if (state === "planned") counters.push("to_come");
  for (const finding of visit.findings) {
    if (finding.code === "short") counters.push("short");
    if (finding.code === "location_inside" && state === "completed" && !counters.includes("at_home")) counters.push("at_home");
  }
  if (need && !need.owner) counters.push("unowned");
  return counters;
}

function emptyCounts() {
  return {
    without_care: 0, without_care_a: 0, without_care_double: 0, late: 0, late_unowned: 0, missed: 0, missed_owned: 0,
    in_progress: 0, overrunning: 0, completed: 0, at_home: 0, short: 0, to_come: 0, unowned: 0,
  };
}

// RFC 3339 in UTC, all with a Z: text order is time order.
const timeOf = (visit) => visit.planned_start ?? visit.actual_start ?? "";
const byTime = (a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : a.id - b.id);

function placeOf(list, visit) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byTime(list[middle], visit) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
