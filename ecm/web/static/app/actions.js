// What a care worker does: each becomes signed records, saved before anything is shown, then sent.

import { uuid7 } from "./bytes.js";
import * as clock from "./clock.js";
import { visitOfTag } from "./day.js";
import { signed } from "./jws.js";
import { save } from "./outbox.js";
import { fixNow } from "./position.js";
import { look, sendSoon } from "./sender.js";
import { change, state } from "./state.js";
import { answer, read, transact } from "./store.js";
import { APP_VERSION } from "./version.js";

const TAG_LASTS_MS = 10 * 60000;

/** `how`: {method, code, reason_code, note, person}. Resolves once it is on the disk. */
export const checkIn = (visit, how = {}) => keep([event("check_in", visit, how)]);

/** With what was done of the visit's tasks. */
export async function checkOut(visit, how = {}) {
  const items = [event("check_out", visit, how)];
  const done = await ticks(visit);
  if (visit.tasks && visit.tasks.length && !how.no_care)
    items.push(report("tasks", visit, { tasks: visit.tasks.map((name, at) => ({ name, done: done.includes(at) })) }));
  await keep(items);
}

/** Nobody let the worker in: came at `since`, left now, and why. */
export function leaveWithoutCare(visit, since, reason_code) {
  const items = [];
  if (visit.stage === "to_do") items.push(event("check_in", visit, { occurred_at: since }));
  items.push(event("check_out", visit, { reason_code }));
  return keep(items);
}

/** `kind`: see POST /v1/reports. `what`: {urgency, reason_code, words, tasks}. */
export const tell = (kind, visit, what = {}) => keep([report(kind, visit, what)]);

/** Which of a visit's tasks are ticked. */
export async function ticks(visit) {
  const kept = (await read("ticks").catch(() => null)) || {};
  return kept[visit.key] || [];
}

export function tick(visit, at, done) {
  return transact("readwrite", async (store) => {
    const kept = (await answer(store("keep").get("ticks"))) || {};
    const before = (kept[visit.key] || []).filter((one) => one !== at);
    store("keep").put({ ...kept, [visit.key]: done ? [...before, at] : before }, "ticks");
  });
}

/** The tag that was just read, unless that was too long ago, or it is known to be of another home than this visit's. */
export function freshTag(visit) {
  const { tag } = state;
  if (!tag || Date.now() - tag.read_at > TAG_LASTS_MS) return null;
  return (visit.tags || []).includes(tag.digest) || !visitOfTag(tag.digest) ? tag : null;
}

function event(kind, visit, { method = "app", code, reason_code, note, person, occurred_at }) {
  const tag = freshTag(visit);
  return {
    door: "check-events",
    said: {
      ...common(kind, visit, occurred_at),
      method: code ? "token" : tag ? tag.method : method,
      tag: tag ? tag.address : undefined,
      code,
      reason_code,
      note,
      person,
      stay: visit.stay || undefined,
    },
  };
}

function report(kind, visit, what) {
  const somebodyElse = visit && visit.stay && !visit.service_user ? visit.name : "";
  const words = somebodyElse ? [`Unplanned visit: ${somebodyElse}.`, what.words].filter(Boolean).join(" ") : what.words;
  return { door: "reports", said: { ...common(kind, visit || {}), ...what, person: somebodyElse || undefined, words } };
}

function common(kind, visit, occurred_at) {
  const { phone, who } = state;
  return {
    id: uuid7(clock.now()),
    kind,
    occurred_at: occurred_at || clock.iso(clock.now()),
    care_worker: (who && who.care_worker) || phone.care_worker || undefined,
    service_user: visit.service_user || undefined,
    visit: visit.ref || undefined,
    fix: fixNow(),
    unlock: (who && who.unlock) || undefined,
    device: { id: phone.device_id, app_version: APP_VERSION },
    tapped: clock.tapped(),
  };
}

/** Signs, saves, then shows and sends. Throws only when this phone could save it nowhere; then it is sent from memory. */
async function keep(items) {
  const records = [];
  for (const { door, said } of items)
    records.push({
      id: said.id,
      door,
      said: JSON.parse(JSON.stringify(said)),
      jws: await signed(said, state.phone),
      device_id: state.phone.device_id,
      saved_at: Date.now() + records.length,
      shared: Boolean(state.phone.shared),
      whose: said.care_worker || null,
      status: "waiting",
      received_at: null,
      detail: "",
    });
  try {
    await save(records);
    if (items.some(({ said }) => said.tag)) change({ tag: null });
  } finally {
    await look();
    sendSoon();
  }
}

