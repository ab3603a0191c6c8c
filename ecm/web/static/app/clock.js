// Two clocks, both made of the phone's own and what the service said the time was.
//
//   now()        the service's time: what "it happened at 09:02" means. It may be a scaled clock.
//   proofNow()   the real time: what a signed request says, corrected once the service has said that it is wrong.
//
// The phone's monotonic clock may stand still while the phone sleeps, so it never adds time. It only shows that the
// phone's own clock was set back while the page was open.

import { read, write } from "./store.js";

export const boot = Math.random().toString(36).slice(2, 12);
const SET_BACK_MS = 5000;

let anchor = { server: Date.now(), wall: Date.now(), mono: performance.now(), boot, speed: 1, heard: false };
let realOffset = 0;

let loaded = false;

/** What was heard before this page was opened. Once: later, this page knows better. */
export async function load() {
  if (loaded) return;
  loaded = true;
  const kept = await read("clock").catch(() => null);
  if (kept) ({ anchor, realOffset } = kept);
}

/** The service's time, in milliseconds since 1970. */
export const now = () => fromWall(Date.now());

export const iso = (ms) => new Date(ms).toISOString();

/** The service's time when the phone's own clock shows `wall`. */
export function fromWall(wall) {
  return anchor.server + passed(anchor, wall) * anchor.speed;
}

export const proofNow = () => Date.now() + realOffset;

/** What the clocks show, to be kept beside an event. */
export const tapped = () => ({ now: iso(now()), wall: iso(Date.now()), monotonic_ms: Math.round(performance.now()), boot });

/** What the clock an event was made by shows now: if it was wrong then, it is as wrong now, and the service sees it. */
export function byTheClockOf({ tapped: then }) {
  const since = { wall: Date.parse(then.wall), mono: then.monotonic_ms, boot: then.boot };
  return iso(Date.parse(then.now) + passed(since, Date.now()) * anchor.speed);
}

export const lastContact = () => (anchor.heard ? iso(anchor.server) : null);

/** The service said its time: taken as of the moment its answer came, so that ours is never ahead. */
export function heard(serverTime, speed = anchor.speed) {
  anchor = { server: Date.parse(serverTime), wall: Date.now(), mono: performance.now(), boot, speed, heard: true };
  return keepIt();
}

/** The service refused our signature's time; its answer's Date header says the right one. */
export function heardRealTime(date) {
  const real = Date.parse(date || "");
  if (Number.isFinite(real)) realOffset = real - Date.now();
  return keepIt();
}

function passed(since, wall) {
  const byWall = wall - since.wall;
  const byMono = since.boot === boot ? performance.now() - since.mono - (Date.now() - wall) : byWall;
  return byMono - byWall > SET_BACK_MS ? byMono : byWall;
}

const keepIt = () => write("clock", { anchor, realOffset }).catch(() => {});
