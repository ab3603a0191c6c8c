// Parts of the visit page's forms.

import { Problem } from "../api.js";
import { h } from "../dom.js";
import { page } from "../page.js";

/** A local time on the visit's date as an instant; a check-out before its check-in is on the next day. */
export function instantOf(visit, time, after) {
  const zone = visit.zone ?? page.zone;
  let at = inZone(`${visit.date}T${time.length === 5 ? `${time}:00` : time}`, zone);
  if (after && at < Date.parse(after)) at += 86_400_000;
  return new Date(at).toISOString();
}

function inZone(local, zone) {
  const guess = Date.parse(`${local}Z`);
  const shown = new Date(guess).toLocaleString("sv-SE", { timeZone: zone }).replace(" ", "T");
  return guess - (Date.parse(`${shown}Z`) - guess);
}

/** A labelled control; `.control` is the control itself. */
export function field(id, words, control, ...more) {
  const element = h("div", { class: "field" }, h("label", { for: id }, words), control, more);
  element.control = control;
  return element;
}

export const choice = (id, words, options) => field(id, words, h("select", { id }, options.map(([value, text]) => h("option", { value }, text))));

export function tell(element, words, tone) {
  element.textContent = words;
  element.className = `banner ${tone}`;
  element.hidden = false;
}

export function wordsOf(problem) {
  if (problem.status === 401) return "You were signed out, so nothing was added yet. Sign in on another page, then press again: what you wrote is still here.";
  return problem instanceof Problem ? problem.message : String(problem);
}
