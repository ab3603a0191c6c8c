// Every word the app shows, in the language of whoever holds the phone. The strings stand in strings/, one file a
// language, the same keys in each.

import cy from "./strings/cy.js";
import en from "./strings/en.js";
import pl from "./strings/pl.js";
import ro from "./strings/ro.js";
import * as clock from "./clock.js";
import { zone } from "./state.js";

export const LANGUAGES = { en: "English", cy: "Cymraeg", pl: "Polski", ro: "Română" };
const STRINGS = { en, cy, pl, ro };
const CHOSEN = "ecm language";

let language = "en";

/** The language chosen on this phone, else the phone's own, else English. */
export function startLanguage() {
  const wished = [localStorage.getItem(CHOSEN), ...(navigator.languages || [])];
  const found = wished.map((tag) => (tag || "").slice(0, 2).toLowerCase()).find((tag) => tag in STRINGS);
  speak(found || "en");
}

export function choose(tag) {
  localStorage.setItem(CHOSEN, tag);
  speak(tag);
}

export const languageNow = () => language;

function speak(tag) {
  language = tag;
  document.documentElement.lang = tag === "en" ? "en-GB" : tag;
}

/** The words for a key, with its {gaps} filled. */
export function t(key, gaps = {}) {
  const words = STRINGS[language][key] || en[key];
  if (words === undefined) throw new Error(`no words for ${key}`);
  return words.replace(/\{(\w+)\}/g, (_, name) => gaps[name]);
}

/** "09:02", where the visits are. */
export function hourMinute(at) {
  if (!at) return "";
  const how = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone() };
  return new Intl.DateTimeFormat("en-GB", how).format(new Date(at));
}

// Many browsers have no Welsh dates of their own, and would put English ones between Welsh words.
const WELSH = {
  Monday: "dydd Llun", Tuesday: "dydd Mawrth", Wednesday: "dydd Mercher", Thursday: "dydd Iau", Friday: "dydd Gwener",
  Saturday: "dydd Sadwrn", Sunday: "dydd Sul", January: "Ionawr", February: "Chwefror", March: "Mawrth", April: "Ebrill",
  May: "Mai", June: "Mehefin", July: "Gorffennaf", August: "Awst", September: "Medi", October: "Hydref",
  November: "Tachwedd", December: "Rhagfyr",
};

/** "Monday 23 November" */
export function dayOf(at) {
  const how = { weekday: "long", day: "numeric", month: "long", timeZone: zone() };
  const welsh = language === "cy";
  const words = new Intl.DateTimeFormat(welsh || language === "en" ? "en-GB" : language, how).format(new Date(at));
  return welsh ? words.replace(/[A-Z][a-z]+/g, (word) => WELSH[word]) : words;
}

export const span = (visit) => `${hourMinute(visit.planned_start)}–${hourMinute(visit.planned_end)}`;

export const minutesOf = (visit) => Math.round((Date.parse(visit.planned_end) - Date.parse(visit.planned_start)) / 60000);

/** "0:31:08" */
export function counting(since) {
  const seconds = Math.max(0, Math.floor((clock.now() - Date.parse(since)) / 1000));
  const pad = (n) => String(n).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
}
