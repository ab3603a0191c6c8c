// Parts that several screens are made of.

import { freshTag } from "../actions.js";
import { h, icon } from "../dom.js";
import * as frame from "../frame.js";
import { fixNow, placeOf } from "../position.js";
import { inMemoryOnly } from "../state.js";
import { hourMinute, minutesOf, span, t } from "../words.js";

const PLACES = {
  inside: ["good", "atHome"],
  outside: ["warning", "awayFromHome"],
  unsure: ["warning", "nearHome"],
  known: ["quiet", "placeKnown"],
  finding: ["quiet", "findingYou"],
  denied: ["quiet", "placeDenied"],
  none: ["quiet", "placeNone"],
};

/** The one sentence about where the phone thinks it is, and how sure: {tone, words, sure}. */
export function placeSentence(visit) {
  if (freshTag(visit)) return { tone: "good", words: t("tagReadHere"), sure: true };
  const place = placeOf(visit);
  const [tone, key] = PLACES[place.kind];
  return { tone, words: t(key, { m: metres(place.distance_m), a: metres(place.accuracy_m) }), sure: place.kind === "inside" || place.kind === "known" };
}

function metres(m) {
  if (m === undefined) return "";
  return whole(m >= 2000 ? `${Math.round(m / 1000)} km` : `${m} m`);
}

export const button = (words, attributes, ...more) => h("button", { type: "button", class: "button", ...attributes }, ...[words, more].flat());

export const link = (words, href, picture, attributes = {}) =>
  h("a", { class: "button", href, ...attributes }, picture && icon(picture), h("span", {}, words));

export const banner = (tone, ...words) => h("div", { class: `banner ${tone}`, role: tone === "critical" ? "alert" : null }, ...words);

export const card = (...children) => h("section", { class: "card" }, ...children);

export const addressOf = (visit, screen) => `#/${screen}/${encodeURIComponent(visit.key)}`;

/** "Next · 09:00–09:45 · 45 min" */
export function when(visit, before = "") {
  if (!visit.planned_start) return h("p", { class: "when" }, t("unplannedVisit"));
  return h("p", { class: "when" }, h("strong", {}, `${before}${span(visit)}`), ` · ${t("minutes", { n: minutesOf(visit) })}`);
}

/** "With Jo Mensah, here since 09:01" for each other care worker of a visit. */
export function colleagues(visit) {
  if (!visit.colleagues.length) return visit.carers_required > 1 ? banner("warning", t("doubleUpNobody")) : "";
  return h(
    "ul",
    { class: "colleagues" },
    visit.colleagues.map((other) => h("li", {}, icon("second"), h("span", {}, ofColleague(other)))),
  );
}

function ofColleague(other) {
  const name = other.name || other.care_worker;
  if (other.checked_out_at) return t("colleagueLeft", { name, time: hourMinute(other.checked_out_at) });
  if (other.checked_in_at) return t("colleagueHere", { name, time: hourMinute(other.checked_in_at) });
  return t("colleagueNotYet", { name });
}

/** A number and its unit, or a postcode, which no line breaks in two. */
export const whole = (words) => words.replace(/ /g, "\u00a0");

/** "Call 999 first" and the number to press. */
export const emergency = () =>
  h("a", { class: "button critical wide", href: "tel:999" }, icon("phone"), h("span", {}, t("ring999")));

export function telephone(number, words) {
  return number ? h("a", { class: "button wide", href: `tel:${number}` }, icon("phone"), h("span", {}, `${words} `, h("span", { class: "whole" }, readable(number)))) : "";
}

export const readable = (number) => number.replace(/^\+44/, "0").replace(/^(0\d{3})(\d{3})(\d{4})$/, "$1 $2 $3");

/** Does it once, however often it is tapped; says what was saved, or that it could not be. Resolves with success. */
export async function once(pressed, work, saidAfter) {
  if (pressed.getAttribute("aria-disabled") === "true") return false;
  pressed.setAttribute("aria-disabled", "true");
  try {
    await work();
  } catch (error) {
    console.warn(error);
    if (!inMemoryOnly()) document.getElementById("main").prepend(banner("critical", t("nothingSaved")));
    return false;
  } finally {
    pressed.removeAttribute("aria-disabled");
  }
  frame.say([saidAfter, frame.sendingNow().words].filter(Boolean).join(" "));
  return true;
}

export const go = (hash) => (location.hash === hash ? frame.refresh() : (location.hash = hash));

export const hasFix = () => fixNow() !== undefined;

/** Radio buttons as large rows. */
export function choices(name, legend, options, chosen) {
  return h(
    "fieldset",
    { class: "choices" },
    h("legend", {}, legend),
    options.map(([value, words]) =>
      h("label", { class: "choice" }, h("input", { type: "radio", name, value, checked: value === chosen }), h("span", {}, words)),
    ),
  );
}

export const chosenOf = (form, name) => {
  const found = form.querySelector(`input[name="${name}"]:checked`);
  return found ? found.value : null;
};
