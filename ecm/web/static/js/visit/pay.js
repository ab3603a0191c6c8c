// How the minutes and the money were reached, step by step in plain words.

import { h } from "../dom.js";
import { label } from "../strings.js";
import { pounds } from "../time.js";

export function payCard(visit) {
  const { payable } = visit;
  return h("section", { class: "card", "aria-labelledby": "pay-title" },
    h("header", {}, h("h2", { id: "pay-title" }, payable ? `How the ${minutes(payable.minutes)} were reached` : "Payable")),
    h("div", { class: "body" }, payable ? [payable.steps?.length ? stepsTable(payable.steps, payable) : h("p", { class: "payable" }, h("b", {}, `${minutes(payable.minutes)} · ${pounds(payable.amount_pence)}`), h("span", { class: "quiet" }, " over all payment runs so far")), h("p", { class: "quiet" }, "Each step is on the ", h("a", { href: "/actuals" }, "actuals page"), ".")] : h("p", { class: "quiet" }, `This ${label.visit} is in no payment run yet.`)));
}

/** Also used by the actuals page: steps are {words, clause, seconds_after, pence_after}. */
export function stepsTable(steps, total) {
  return h("table", { class: "steps" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Step"), h("th", { scope: "col", class: "number" }, "Minutes"), h("th", { scope: "col", class: "number" }, "£"))),
    h("tbody", {}, steps.map((step) => h("tr", {}, h("td", {}, step.words, step.clause && h("span", { class: "quiet" }, ` (clause ${step.clause})`), step.care_worker && h("span", { class: "quiet" }, ` · ${step.care_worker}`)), h("td", { class: "number" }, clock(step.seconds_after)), h("td", { class: "number" }, (step.pence_after / 100).toFixed(2))))),
    total && h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, "Payable"), h("td", { class: "number" }, String(total.minutes)), h("td", { class: "number" }, pounds(total.amount_pence)))));
}

const clock = (seconds) => `${Math.floor(seconds / 60)}${seconds % 60 ? `:${String(seconds % 60).padStart(2, "0")}` : ""}`;
const minutes = (n) => `${Math.round(n * 10) / 10} minutes`;
