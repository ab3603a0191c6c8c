// What was signed on this phone and what became of it. It is saved before it is shown and sent until it has a receipt.
//
//   waiting   ──► sent       2xx: committed to the service's disk. Kept seven days, sent again if the service lost them
//             ──► conflict   409: another record stands under this id. Kept, for somebody to look at
//             ──► refused    another 4xx for this very record. Kept and shown; nothing is dropped by itself
//
// A record: {id, door, said, jws, device_id, saved_at, status, received_at, detail, office_has_it}. `said` is what was
// signed. Signed once, so sending again is the same event; what differs between tries goes beside it. On a shared phone
// also {shared, whose}, and `said` and `jws` lie sealed (sealed.js).
//
// This file runs in the page and in the service worker: no window, no document.

import { Away, Refusal, once } from "./api.js";
import * as clock from "./clock.js";
import { copies, copy, dropCopies } from "./mirror.js";
import { atRest, opened } from "./sealed.js";
import { answer, transact } from "./store.js";

const DOORS = { "check-events": "/v1/check-events", reports: "/v1/reports" };
const AT_ONCE = 50;
const KEPT_MS = 7 * 24 * 3600000;
const STORED = new Set(["created", "exists"]);

let unsaved = []; // not in the database: sent from memory while the page lives, or from the second copy later

/** On the disk when this resolves: all of them or none. Throws when neither storage took them. */
export async function save(records) {
  const mirrored = Promise.all(records.map(copy)).then(() => true, () => false);
  try {
    const resting = await Promise.all(records.map(atRest));
    await put(resting).catch(() => makeRoom().then(() => put(resting)));
  } catch (error) {
    const unsafe = !(await mirrored);
    unsaved.push(...records.map((record) => ({ ...record, unsaved: unsafe })));
    if (unsafe) throw error;
  }
  await mirrored;
}

const put = (records) => transact("readwrite", (store) => Promise.all(records.map((record) => answer(store("outbox").put(record)))));

/** The disk is full: what nobody has yet is worth more than a second copy of what the service has. */
const makeRoom = () => prune(Infinity);

/** Every record there is, oldest first. */
export async function everything() {
  const stored = await transact("readonly", (store) => answer(store("outbox").getAll())).catch(() => []);
  const known = new Set(stored.map((record) => record.id));
  return [...stored, ...unsaved.filter((record) => !known.has(record.id))].sort((a, b) => a.saved_at - b.saved_at);
}

/** Brings back what only the second copy has. Resolves with how many. */
export async function rescue() {
  const found = await Promise.all((await copies().catch(() => [])).map(atRest));
  return transact("readwrite", async (store) => {
    const known = new Set(await answer(store("outbox").getAllKeys()));
    const lost = found.filter((record) => !known.has(record.id));
    for (const record of lost) store("outbox").put({ ...record, status: "waiting" });
    return lost.length;
  });
}

/** On a shared phone: seals what an older app, or a failure, left open. */
export async function sealTheRest() {
  for (const found of (await everything()).filter((record) => !record.sealed && !record.unsaved)) {
    const record = { ...found, shared: true, whose: found.said.care_worker || null };
    const { sealed } = await atRest(record);
    if (!sealed) continue;
    await transact("readwrite", async (store) => {
      const now = await answer(store("outbox").get(record.id));
      if (!now || now.sealed) return;
      const { said, jws, ...rest } = now; // sent meanwhile, perhaps
      store("outbox").put({ ...rest, shared: true, whose: record.whose, sealed });
    });
    if (record.status === "waiting") await copy(record);
  }
}

/** Another epoch: the service came back from a copy. What it once had is sent to it again. */
export function sendAgain() {
  return changeAll((record) => record.status === "sent" && { ...record, status: "waiting" });
}

/** Somebody looked and wants them tried again. */
export function retryRefused() {
  return changeAll((record) => record.status === "refused" && { ...record, status: "waiting", detail: "" });
}

/** Forgets what was acknowledged seven days ago. */
export function prune(now = Date.now()) {
  return transact("readwrite", async (store) => {
    for (const record of await answer(store("outbox").getAll()))
      if (record.status === "sent" && record.acknowledged_at < now - KEPT_MS) store("outbox").delete(record.id);
  });
}

/**
 * Sends what waits. Resolves with {left, wait_s, problem}: how many still wait, how long to wait before the next try
 * (0: as one likes), and "" | "away" | "unknown" (the service does not know this phone).
 */
export function send() {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  return locks ? locks.request("ecm-sending", sendNow) : sendNow();
}

async function sendNow() {
  await clock.load();
  let [wait_s, problem] = [0, ""];
  const resting = (await everything()).filter((record) => record.status === "waiting");
  const waiting = (await Promise.all(resting.map((record) => opened(record).catch(() => null)))).filter(Boolean).sort(urgentFirst);
  for (const [device_id, door, some] of parcels(waiting)) {
    try {
      await sendParcel(device_id, door, some);
    } catch (error) {
      if (error instanceof Away) {
        problem = "away";
        break;
      }
      if (!(error instanceof Refusal)) throw error;
      if (error.status === 401 || error.status === 403) problem = "unknown";
      wait_s = Math.max(wait_s, error.waitSeconds || (problem ? 60 : 2));
    }
  }
  const left = (await everything()).filter((record) => record.status === "waiting").length;
  return { left, wait_s, problem };
}

function urgentFirst(one, other) {
  const rank = (record) => (record.said.kind === "sos" ? 0 : record.said.urgency === "now" ? 1 : 2);
  return rank(one) - rank(other) || one.saved_at - other.saved_at;
}

/** What goes in one request: one phone's records for one door. */
function* parcels(records) {
  const left = [...records];
  while (left.length) {
    const { device_id, door } = left[0];
    const some = left.filter((record) => record.device_id === device_id && record.door === door).slice(0, AT_ONCE);
    for (const record of some) left.splice(left.indexOf(record), 1);
    yield [device_id, door, some];
  }
}

async function sendParcel(device_id, door, records) {
  const body = JSON.stringify(records.map((record) => ({ jws: record.jws, sending: sending(record) })));
  let receipts;
  try {
    receipts = await once("POST", DOORS[door], body, { device_id });
  } catch (error) {
    if (!(error instanceof Refusal) || ![400, 409, 413, 422].includes(error.status)) throw error;
    if (records.length > 1) {
      for (const record of records) await sendParcel(device_id, door, [record]);
      return;
    }
    receipts = [{ status: error.status === 409 ? "conflict" : "rejected", detail: error.detail }];
  }
  await settle(records, receipts);
}

function sending(record) {
  return {
    wall_clock: clock.byTheClockOf(record.said),
    monotonic_ms: Math.round(performance.now()),
    last_contact_at: clock.lastContact() || undefined,
  };
}

async function settle(records, receipts) {
  const after = new Map(records.map((record, at) => [record.id, outcome(receipts[at] || {})]));
  unsaved = unsaved.map((record) => ({ ...record, ...after.get(record.id) }));
  await transact("readwrite", async (store) => {
    for (const [id, change] of after) {
      const record = await answer(store("outbox").get(id));
      if (record) store("outbox").put({ ...record, ...change });
    }
  });
  await dropCopies([...after].filter(([, change]) => change.status === "sent").map(([id]) => id)).catch(() => {});
}

function outcome(receipt) {
  const problem = receipt.problem || {};
  if (STORED.has(receipt.status))
    return { status: "sent", received_at: receipt.received_at, acknowledged_at: Date.now(), detail: receipt.detail || "" };
  if (receipt.status === "conflict") return { status: "conflict", detail: problem.detail || receipt.detail || "", office_has_it: problem.kept === true };
  if (receipt.status === "rejected") return { status: "refused", detail: problem.detail || receipt.detail || "", office_has_it: problem.kept === true };
  return {};
}

function changeAll(change) {
  return transact("readwrite", async (store) => {
    let changed = 0;
    for (const record of await answer(store("outbox").getAll())) {
      const other = change(record);
      if (other) {
        store("outbox").put(other);
        changed++;
      }
    }
    return changed;
  });
}
