// One visit explained: five times side by side, what happened and how we know, how the money was reached, where.

import "../frame.js";
import { ask } from "../api.js";
import { byId, h } from "../dom.js";
import { page } from "../page.js";
import { capital, label } from "../strings.js";
import { withSeconds } from "../time.js";
import { amendCard } from "./amend.js";
import { enterByHand } from "./enter.js";
import { payCard } from "./pay.js";
import { timelineCard } from "./timeline.js";
import { timesCard } from "./times.js";
import { header } from "./header.js";
import { whereCard } from "./where.js";

const AGAIN_MS = 15_000;
const root = byId("page");
const stale = h("p", { class: "banner warning", role: "status", hidden: true });
let shown = "";
let readAt = null;

async function load(quietly) {
  try {
    // Looking again by itself must not lead away from a correction that is being written.
    const [visit, reports] = await Promise.all([ask("GET", `/v1/visits/${page.visit}`, undefined, {}, { stay: quietly }), ask("GET", `/v1/visits/${page.visit}/reports`, undefined, {}, { stay: true }).catch(() => null)]);
    const text = JSON.stringify([visit, reports]);
    readAt = Date.now();
    stale.hidden = true;
    if (text === shown) return;
    if (quietly && (root.querySelector("form")?.contains(document.activeElement) || document.querySelector("dialog[open]"))) return;
    shown = text;
    draw(visit, reports);
  } catch (problem) {
    if (quietly) notUpToDate(problem);
    else failed(problem);
  }
}

/** What is shown stays, with the time it was true. */
function notUpToDate(problem) {
  const since = `As it was at ${withSeconds(readAt)}. `;
  stale.replaceChildren(since, problem.status === 401 ? "You were signed out. " : `${problem.message} `,
    problem.status === 401 ? h("a", { href: "/", target: "_blank" }, "Sign in on another page") : "The page keeps trying.",
    problem.status === 401 ? ", then go on here: nothing you wrote is lost." : "");
  stale.hidden = false;
}

function draw(visit, reports) {
  const may = page.may.has("amend_visit");
  document.title = `${capital(label.visit)} ${visit.ref} · ecm`; // a title stands in the browser's history: it names nobody
  root.removeAttribute("aria-busy");
  root.replaceChildren(
    header(visit),
    h("div", { class: "columns" },
      h("div", { class: "column" }, timesCard(visit), timelineCard(visit, reports, may && (() => enterByHand(visit, () => load(false))))),
      h("div", { class: "column" }, payCard(visit), whereCard(visit), may && amendCard(visit, () => load(false)))),
  );
}

function failed(problem) {
  root.removeAttribute("aria-busy");
  const missing = problem.status === 404;
  root.replaceChildren(h("section", { class: "card message" },
    h("h1", {}, missing ? `There is no such ${label.visit} here` : `This ${label.visit} could not be read`),
    h("p", {}, missing ? "It may belong to another provider or authority." : problem.message),
    h("p", {}, missing ? h("a", { class: "button", href: "/board" }, "To the board") : h("button", { class: "button primary", type: "button", onclick: () => load(false) }, "Try again"))));
}

root.before(stale);
load(false);
setInterval(() => document.hidden || load(true), AGAIN_MS);
