// What the frames say, and nothing else: pure state. The newest row by position wins, so a frame may come twice.

export class Store {
  visits = new Map();
  alerts = new Map();
  alertsOf = new Map(); // visit id -> Set of alert ids
  epoch = null;
  position = -1; // up to here everything is held; -1: nothing yet, ask for a snapshot
  date = null;
  loading = true;

  /** Applies one frame. Returns the ids of visits it touched, or "all". */
  apply(frame) {
    switch (frame.type) {
      case "hello":
        if (frame.epoch !== this.epoch) this.#forget();
        this.epoch = frame.epoch;
        this.date ??= frame.date;
        return [];
      case "resync":
        this.#forget();
        return "all";
      case "snapshot":
        return this.#snapshot(frame);
      case "row":
        this.#hold(frame.position);
        return this.#put(this.visits, timed(frame.visit)) ? [frame.visit.id] : [];
      case "alert":
        this.#hold(frame.position);
        return this.#putAlert(frame.alert) ? [frame.alert.visit] : [];
      case "gone":
        this.#hold(frame.position);
        return this.#drop(frame.visit);
      case "heartbeat":
        if (!this.loading) this.#hold(frame.position);
        return [];
      default:
        return [];
    }
  }

  alertsFor(visitId) {
    return [...(this.alertsOf.get(visitId) ?? [])].map((id) => this.alerts.get(id));
  }

  #snapshot(frame) {
    if (frame.part === 1) {
      this.#forget();
      this.date = frame.date;
    }
    for (const visit of frame.visits) this.visits.set(visit.id, timed(visit));
    for (const alert of frame.alerts) this.#putAlert(alert);
    if (frame.part === frame.parts) {
      this.loading = false;
      this.#hold(frame.position);
    }
    if (frame.part === 1) return "all";
    return [...frame.visits.map((visit) => visit.id), ...frame.alerts.map((alert) => alert.visit)];
  }

  #forget() {
    this.visits.clear();
    this.alerts.clear();
    this.alertsOf.clear();
    this.position = -1;
    this.loading = true;
  }

  #hold(position) {
    if (position > this.position) this.position = position;
  }

  #put(rows, row) {
    const held = rows.get(row.id);
    if (held && held.p > row.p) return false;
    rows.set(row.id, row);
    return true;
  }

  #putAlert(alert) {
    if (!this.#put(this.alerts, alert)) return false;
    const of = this.alertsOf.get(alert.visit);
    if (of) of.add(alert.id);
    else this.alertsOf.set(alert.visit, new Set([alert.id]));
    return true;
  }

  #drop(visitId) {
    for (const id of this.alertsOf.get(visitId) ?? []) this.alerts.delete(id);
    this.alertsOf.delete(visitId);
    return this.visits.delete(visitId) ? [visitId] : [];
  }
}

/** Its start and end as numbers, so that nobody parses a time twenty thousand times. */
function timed(visit) {
  visit.at = Date.parse(visit.planned_start ?? visit.actual_start);
  visit.until = Date.parse(visit.planned_end ?? visit.actual_end ?? visit.actual_start);
  return visit;
}
