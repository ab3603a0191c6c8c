// This phone: enrolled with a one-time code, logged out, cut off, or found empty.
//
// Logging out takes away the key and the day, never the outbox: what is in it was signed, and signed things are sent
// without the key. The name of the last phone stays (`enrolled_once`), in another kind of storage too, so that a phone
// whose storage was thrown away can be told from a new one.

import { once } from "./api.js";
import * as clock from "./clock.js";
import { makeSigningKey, publicHalf } from "./keys.js";
import { rescue, sealTheRest, sendAgain } from "./outbox.js";
import { change, state } from "./state.js";
import { forget, read, write } from "./store.js";

const MARK = "ecm enrolled";

/** What is on this phone, at opening. Brings back lost records. */
export async function restore() {
  const phone = await read("phone").catch(() => null);
  const rescued = await rescue().catch(() => 0);
  const marked = localStorage.getItem(MARK) === "yes" || rescued > 0;
  const trouble = phone ? phone.trouble || "" : marked ? "evicted" : "";
  if (phone) askToPersist();
  if (phone && phone.shared) await sealTheRest().catch(() => {});
  change({ phone: phone || null, who: phone && !phone.shared ? owner(phone) : null, trouble, rescued });
}

/** Raises what the service says of the code (Refusal), or Away. Tried again, it is the same key, and so the same phone. */
export async function enrol(code) {
  const tried = await read("enrolling");
  const key = tried && tried.code === code ? tried.key : await makeSigningKey();
  await write("enrolling", { code, key });
  const body = JSON.stringify({ code, public_key: await publicHalf(key), label: labelOf(navigator.userAgent) });
  const said = await once("POST", "/v1/app/enrolment", body);
  const phone = { ...said, key, server_time: undefined };
  await write("phone", phone);
  await forget("enrolling");
  localStorage.setItem(MARK, "yes");
  await clock.heard(said.server_time);
  await noteEpoch(said.epoch);
  change({ phone, who: phone.shared ? null : owner(phone), trouble: "", rescued: 0 });
  askToPersist();
}

/** So that a phone short of space throws other things away first. The browser decides. */
function askToPersist() {
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
}

/** Another epoch than the last one heard: the service lost what came after its copy, and gets it again. */
export async function noteEpoch(epoch) {
  const before = await read("epoch");
  if (before === epoch) return false;
  if (before) await sendAgain();
  await write("epoch", epoch);
  return Boolean(before);
}

/** The service no longer wants this phone. The day goes at once; what was signed before still goes out. */
export async function turnedAway(trouble) {
  await forget("day", "vault", "opened");
  if (state.phone) await write("phone", { ...state.phone, trouble });
  change({ day: null, trouble });
}

export async function logOut() {
  await forget("phone", "day", "vault", "opened", "ticks");
  localStorage.removeItem(MARK);
  change({ phone: null, who: null, day: null, trouble: "" });
}

const owner = (phone) => ({ care_worker: phone.care_worker, name: phone.name, unlock: null });

/** "Android", "iPhone": for the list at the office. */
function labelOf(agent) {
  const found = /iPhone|iPad|Android|Windows|Macintosh|Linux/.exec(agent);
  return found ? found[0] : "phone";
}
