// Times as people say them, in the authority's zone.

import { page } from "./page.js";

const MINUTE = 60_000;
const HOUR_MINUTE = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: page.zone });
const WITH_SECONDS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: page.zone });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: page.zone });
const DAY_OF_DATE = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

const DATE = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone: page.zone });
const SHORT_DATE = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

const known = new Map();

/** "09:15" of an instant; remembered, because a board asks for the same few thousand again and again. */
export function hourMinute(at) {
  if (!at) return "";
  let words = known.get(at);
  if (words === undefined) {
    if (known.size > 20_000) known.clear();
    known.set(at, (words = HOUR_MINUTE.format(typeof at === "number" ? at : Date.parse(at))));
  }
  return words;
}

export const withSeconds = (at) => (at ? WITH_SECONDS.format(new Date(at)) : "");
export const dayOf = (at) => DAY.format(new Date(at));
export const dayOfDate = (date) => DAY_OF_DATE.format(new Date(`${date}T00:00:00Z`));

/** "2026-11-23" of an instant, as a date is asked for. */
export const dateOf = (at) => DATE.format(new Date(at));

/** "Mon 23 Nov", the day of a visit that is not of `date`; else "". */
export const otherDay = (visit, date) => (visit.date === date ? "" : SHORT_DATE.format(new Date(`${visit.date}T00:00:00Z`)));

export function span(start, end) {
  return start ? `${hourMinute(start)}–${hourMinute(end)}` : "not planned";
}

/** "41:07", and from an hour on "1 h 02". */
export function counting(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const pad = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h} h ${pad(m)}` : `${m}:${pad(s)}`;
}

export function ago(ms) {
  if (ms < 60_000) return `${Math.max(0, Math.round(ms / 1000))} s ago`;
  if (ms < 60 * MINUTE) return `${Math.floor(ms / MINUTE)} min ago`;
  return `${Math.floor(ms / (60 * MINUTE))} h ${Math.floor(ms / MINUTE) % 60} min ago`;
}

/** "16 min 54 s", "30 min". */
export function lasting(ms) {
  const seconds = Math.round(Math.abs(ms) / 1000);
  const [m, s] = [Math.floor(seconds / 60), seconds % 60];
  return s ? `${m} min ${s} s` : `${m} min`;
}

export const pounds = (pence) => (pence / 100).toLocaleString("en-GB", { style: "currency", currency: "GBP" });
