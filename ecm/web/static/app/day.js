// Today's visits on this phone: fetched signed, sealed on the disk, gone after a day. And how each of them stands,
// by what this phone recorded and, where it recorded nothing, by what the service knows.

import { Refusal, ask } from "./api.js";
import * as clock from "./clock.js";
import { seal, sealingKey, unseal } from "./keys.js";
import { noteEpoch, turnedAway } from "./phone.js";
import { sendSoon } from "./sender.js";
import { forgetOpenedBy, lock } from "./session.js";
import { change, mayTell, state } from "./state.js";
import { forget, read, write } from "./store.js";

const KEPT_MS = 24 * 3600000;
const NO_CARE = new Set(["no_reply", "no_access", "refused", "in_hospital"]);
const OVER_MS = 60 * 60000;
const STAY_MS = 18 * 3600000;

/** The day on the disk, if it is today's holder's and not yet a day old; else it is wiped. On a shared phone a PIN shows it. */
export async function open() {
  await wipeIfOld();
  if (state.phone && state.phone.shared && !(state.who && state.who.unlock)) return;
  const kept = await read("day");
  if (!kept) return;
  if (!state.who || kept.care_worker !== state.who.care_worker) return;
  const day = await unseal(await sealingKey(), kept.sealed).catch(() => null);
  if (day) change({ day: { ...day, heard_at: kept.at } });
}

/** Whoever holds the phone, and if nobody does: a locked one forgets as well. */
export async function wipeIfOld() {
  const kept = await read("day");
  const at = [kept && kept.at, state.day && state.day.heard_at].find(Boolean);
  if (at && Math.abs(Date.now() - at) > KEPT_MS) await wipe();
}

export async function wipe() {
  await forget("day", "ticks");
  change({ day: null });
}

/** Asks for today. Resolves with "" or what is in the way: "away", "locked", "refused". Never throws. */
export async function refresh() {
  const { phone, who } = state;
  if (!phone || !who || state.trouble === "cut_off") return "";
  if (phone.shared && !who.unlock) return "locked";
  let day;
  try {
    day = await ask("GET", "/v1/app/today", { by: phone, unlock: who.unlock });
  } catch (error) {
    return refused(error);
  }
  if (state.who !== who) return ""; // it was locked meanwhile
  await clock.heard(day.server_time, day.speed);
  if (await noteEpoch(day.epoch)) sendSoon();
  const at = Date.now();
  const sealed = await seal(await sealingKey(), day);
  if (state.who !== who) return "";
  await write("day", { at, care_worker: who.care_worker, sealed }).catch(() => {});
  change({ day: { ...day, heard_at: at }, trouble: "" });
  return "";
}

/** Whether the service is still the one that acknowledged our records. Never throws. */
export async function checkEpoch() {
  if (!state.phone || state.trouble === "cut_off") return;
  try {
    const said = await ask("GET", "/v1/app/epoch", { by: state.phone });
    await clock.heard(said.server_time);
    if (await noteEpoch(said.epoch)) sendSoon();
  } catch (error) {
    await refused(error);
  }
}

async function refused(error) {
  if (!(error instanceof Refusal)) return "away";
  if (error.cutOff) await turnedAway("cut_off");
  else if (error.status === 401) change({ trouble: "unknown" });
  else if (error.status === 403 && state.phone.shared) {
    if (error.left && state.who) await forgetOpenedBy(state.who.care_worker).catch(() => {});
    lock();
  }
  return error.status >= 500 ? "away" : "refused";
}

/** Today's visits and the unplanned ones, in order, each with how it stands. */
export function visits() {
  const planned = state.day ? state.day.visits.map((visit) => ({ ...visit, key: visit.ref, ...standing(visit) })) : [];
  return [...planned, ...unplanned()].sort((a, b) => startOf(a) - startOf(b));
}

export const visitOf = (key) => visits().find((visit) => visit.key === key);

/** The visit whose turn it is: the one that is going on, else the next to be done that is not long over. */
export function nextVisit(all = visits()) {
  return all.find((visit) => visit.stage === "here") || all.find((visit) => visit.stage === "to_do" && !isOver(visit));
}

/** To be done, and its time went by. It can still be recorded. */
export const isOver = (visit) => visit.stage === "to_do" && clock.now() > Date.parse(visit.planned_end) + OVER_MS;

/** The nearest visit to do (or going on) at a home that has this tag. `digest`: SHA-256 of its id. */
export function visitOfTag(digest) {
  const there = visits().filter((visit) => (visit.tags || []).includes(digest));
  const near = (visit) => Math.abs(startOf(visit) - clock.now());
  const open = there.filter((visit) => visit.stage === "here" || visit.stage === "to_do");
  return there.find((visit) => visit.stage === "here") || open.sort((a, b) => near(a) - near(b))[0] || there[0];
}

const startOf = (visit) => Date.parse(visit.planned_start || visit.came_at || 0);

/** {stage: to_do | here | done | no_care | cancelled, came_at, left_at, at_door_at} */
function standing(visit) {
  const events = mine().filter((said) => said.visit === visit.ref);
  const came = last(events, "check_in");
  const left = last(came ? events.slice(events.indexOf(came)) : events, "check_out");
  const at_door = last(events, "at_the_door");
  const came_at = came ? came.occurred_at : visit.checked_in_at;
  const left_at = left ? left.occurred_at : came ? null : visit.checked_out_at;
  const stage = left && NO_CARE.has(left.reason_code) ? "no_care" : left_at ? "done" : came_at ? "here" : visit.cancelled ? "cancelled" : "to_do";
  return { stage, came_at, left_at, at_door_at: at_door ? at_door.occurred_at : null };
}

/** Stays that nobody planned: a check-in of this phone that names no visit, and its check-out. */
function unplanned() {
  const since = clock.iso(clock.now() - STAY_MS);
  const mayName = (came) => mayTell(state.records.find((record) => record.id === came.id)); // a number alone tells no name
  return mine()
    .filter((said) => said.kind === "check_in" && !said.visit && said.occurred_at > since)
    .map((came) => {
      const left = mine().find((said) => said.kind === "check_out" && said.stay === came.id);
      return {
        key: came.id,
        ref: null,
        stay: came.id,
        service_user: came.service_user || null,
        name: nameOf(came.service_user) || (mayName(came) && came.person) || "",
        came_at: came.occurred_at,
        left_at: left ? left.occurred_at : null,
        stage: left ? "done" : "here",
        tasks: [],
        colleagues: [],
        tags: [],
      };
    });
}

function nameOf(service_user) {
  const known = service_user && state.day && state.day.visits.find((visit) => visit.service_user === service_user);
  return known && known.name;
}

/** What the holder of this phone said with it, in the order it was saved: a clock may be put right between two. */
function mine() {
  const me = state.who && state.who.care_worker;
  return state.records.map((record) => record.said).filter((said) => (said.care_worker || null) === (me || null));
}

const last = (events, kind) => events.filter((said) => said.kind === kind).pop();
