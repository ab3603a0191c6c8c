// Who holds a shared phone. A PIN opens it, for half a day at the most, and it locks by itself when left alone.
//
// What the service gave for the PIN stays in memory. A copy lies on the phone sealed with a key made of that PIN, so
// that the same worker can open the phone where there is no signal, with the same PIN and nothing else.
//
// Whoever takes the phone over finds nothing of the one before: their day is dropped, and their records are shut.

import { ask } from "./api.js";
import { keyOfPin, seal, sealingKey, unseal } from "./keys.js";
import { everything } from "./outbox.js";
import { forHolder, shut } from "./sealed.js";
import { change, state } from "./state.js";
import { forget, read, write } from "./store.js";

const LASTS_MS = 12 * 3600000;
const ALONE_MS = 5 * 60000;
const TRIES = 5;
const WAIT_MS = 15 * 60000;

let touchedAt = Date.now();

/** Raises Refusal (the PIN is wrong, or too many were), Away when nobody can check it. */
export async function unlock(care_worker, pin) {
  const body = JSON.stringify({ care_worker, pin });
  const said = await ask("POST", "/v1/app/unlock", { body, by: state.phone });
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const who = { care_worker, name: said.name, unlock: said.unlock, until: Date.now() + LASTS_MS };
  const inner = await seal(await keyOfPin(pin, salt), who);
  const opened = (await read("opened")) || {};
  opened[care_worker] = { salt, sealed: await seal(await sealingKey(), { iv: [...inner.iv], data: [...new Uint8Array(inner.data)] }), wrong: 0, at: 0 };
  await write("opened", opened);
  await hold(who);
}

/** Where nobody can check the PIN: whether it opens what it opened before. "yes" | "no" | "wait" | "never". */
export async function unlockAlone(care_worker, pin) {
  const opened = (await read("opened")) || {};
  const mine = opened[care_worker];
  if (!mine) return "never";
  if (mine.wrong >= TRIES && Date.now() - mine.at < WAIT_MS) return "wait";
  const box = await unseal(await sealingKey(), mine.sealed);
  const inner = { iv: new Uint8Array(box.iv), data: new Uint8Array(box.data) };
  const who = await unseal(await keyOfPin(pin, mine.salt), inner).catch(() => null);
  const wrong = who ? 0 : (mine.wrong >= TRIES ? 0 : mine.wrong) + 1;
  await write("opened", { ...opened, [care_worker]: { ...mine, wrong, at: Date.now() } });
  if (!who) return "no";
  if (who.until < Date.now()) return "never";
  await hold(who);
  return "yes";
}

/** Nobody's PIN, no signal: recorded all the same, and shown as what it is. */
export function carryOnWithout(care_worker) {
  return hold({ care_worker: care_worker || null, name: care_worker, unlock: null });
}

async function hold(who) {
  await dropDayOfOthers(who.care_worker).catch(() => {});
  const records = await forHolder(await everything(), who);
  touch();
  change({ who, held_since: Date.now(), records });
}

async function dropDayOfOthers(care_worker) {
  const kept = await read("day");
  if (kept && kept.care_worker !== care_worker) await forget("day", "ticks");
}

export const lock = () => change({ who: null, day: null, held_since: Date.now(), records: state.records.map(shut) });

/** The office says that they have left: their PIN opens nothing here any more, not even without a signal. */
export async function forgetOpenedBy(care_worker) {
  const { [care_worker]: gone, ...others } = (await read("opened")) || {};
  if (gone) await write("opened", others);
  const kept = await read("day");
  if (kept && kept.care_worker === care_worker) await forget("day", "ticks");
}

/** Forgets everybody who opened this phone. */
export const forgetOpened = () => forget("opened");

export const touch = () => (touchedAt = Date.now());

/** Locks a shared phone that was left alone. */
export function lockIfAlone() {
  if (state.phone && state.phone.shared && state.who && Date.now() - touchedAt > ALONE_MS) lock();
}
