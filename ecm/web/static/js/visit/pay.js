// How the minutes and the money were reached, step by step in plain words.

import { h } from "../dom.js";
import { exceptionWords, label } from "../strings.js";
import { called } from "./header.js";
import { pounds } from "../time.js";

export function payCard(visit) {
  const { working } = visit;
  return h("section", { class: "card", "aria-labelledby": "pay-title" },
    h("header", {}, h("h2", { id: "pay-title" }, working ? `How the ${minutes(working.minutes)} were reached` : "Payable")),
    h("div", { class: "body" }, working ? worked(visit, working) : h("p", { class: "quiet" }, `Nothing yet: the ${label.visit} is not over.`)));
}

function worked(visit, working) {
  const runs = visit.payable
    ? `In payment runs so far: ${minutes(visit.payable.minutes)}${visit.payable.amount_pence === null ? "" : `, ${pounds(visit.payable.amount_pence)}`}.`
    : "In no payment run yet.";
  return [
    stepsTable(working.steps, working, (ref) => called(visit, ref)),
    working.exception && h("p", { class: "exception" }, `To be looked at before it is paid: ${exceptionWords(working.exception)}.`),
    h("p", { class: "quiet" }, runs),
  ];
}

/** Also used by the actuals page: steps are {words, clause, seconds_after, pence_after, care_worker}. Who it was is
 * said where there were several. Who may not read actuals is sent no pence, and shown no column of them. */
export function stepsTable(steps, total, name = (ref) => ref) {
  const several = new Set(steps.map((step) => step.care_worker).filter(Boolean)).size > 1;
  const money = total.amount_pence !== null;
  return h("table", { class: "steps" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Step"), h("th", { scope: "col", class: "number" }, "Minutes"), money && h("th", { scope: "col", class: "number" }, "£"))),
    h("tbody", {}, steps.map((step) => h("tr", {}, h("td", {}, step.words, step.clause && h("span", { class: "quiet" }, ` (clause ${step.clause})`), several && step.care_worker && h("span", { class: "quiet" }, ` · ${name(step.care_worker)}`)), h("td", { class: "number" }, clock(step.seconds_after)), money && h("td", { class: "number" }, (step.pence_after / 100).toFixed(2))))),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, "Payable"), h("td", { class: "number" }, String(total.minutes)), money && h("td", { class: "number" }, pounds(total.amount_pence)))));
}

const clock = (seconds) => `${Math.floor(seconds / 60)}${seconds % 60 ? `:${String(seconds % 60).padStart(2, "0")}` : ""}`;
const minutes = (n) => `${Math.round(n * 10) / 10} minutes`;
