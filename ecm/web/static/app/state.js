// What the app knows just now, and who wants to hear when that changes.

export const state = {
  phone: null, // {device_id, key, provider, care_worker, name, shared, zone}: this phone, once enrolled
  who: null, // {care_worker, name, unlock}: who holds it
  held_since: Date.now(), // when the phone came into these hands, or into nobody's
  day: null, // what GET /v1/app/today said, and when
  records: [], // the outbox, oldest first; on a shared phone the others' say nothing: `said` is empty
  sending: { problem: "", busy: false },
  trouble: "", // "" | "evicted" | "cut_off" | "unknown": what keeps this phone from working as it should
  rescued: 0,
  tag: null, // {address, method, read_at}: a tag just read, for the next check-in or check-out
};

const listeners = new Set();

/** Calls `listener` at every change; answers how to stop it. */
export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function change(what = {}) {
  Object.assign(state, what);
  for (const listener of [...listeners]) listener();
}

export const waiting = () => state.records.filter((record) => record.status === "waiting");
export const toLookAt = () => own().filter((record) => record.status === "conflict" || record.status === "refused");

/** What may be told to whoever holds the phone: on a shared one by a PIN, or because it was recorded in these hands. */
export const mayTell = (record) => !record.shared || Boolean(state.who && state.who.unlock) || record.saved_at >= state.held_since;
export const own = () => state.records.filter((record) => record.said.kind && mayTell(record));

/** Recorded, sent by nobody yet, and on no disk: gone if the page is closed now. */
export const inMemoryOnly = () => state.records.some((record) => record.unsaved && record.status === "waiting");

/** The last record that has a receipt. */
export function lastSent() {
  let last = null;
  for (const record of own())
    if (record.status === "sent" && (!last || record.received_at > last.received_at)) last = record;
  return last;
}

/** The zone that times are shown in. */
export const zone = () => (state.day && state.day.zone) || (state.phone && state.phone.zone) || "Europe/London";
