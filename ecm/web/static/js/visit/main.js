// One visit explained: five times side by side, what happened and how we know, how the money was reached, where.

import "../frame.js";
import { ask } from "../api.js";
import { byId, h } from "../dom.js";
import { page } from "../page.js";
import { label } from "../strings.js";
import { amendCard } from "./amend.js";
import { payCard } from "./pay.js";
import { timelineCard } from "./timeline.js";
import { timesCard } from "./times.js";
import { header } from "./header.js";
import { whereCard } from "./where.js";

const AGAIN_MS = 15_000;
const root = byId("page");
let shown = "";

async function load(quietly) {
  try {
    const visit = await ask("GET", `/v1/visits/${page.visit}`);
    const text = JSON.stringify(visit);
    if (text === shown) return;
    if (quietly && root.querySelector("form")?.contains(document.activeElement)) return;
    shown = text;
    draw(visit);
  } catch (problem) {
    if (!quietly) failed(problem);
  }
}

function draw(visit) {
  document.title = `${visit.service_user_name} · ecm`;
  root.removeAttribute("aria-busy");
  root.replaceChildren(
    header(visit),
    h("div", { class: "columns" },
      h("div", { class: "column" }, timesCard(visit), timelineCard(visit)),
      h("div", { class: "column" }, payCard(visit), whereCard(visit), page.may.has("amend_visit") && amendCard(visit, () => load(false)))),
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

load(false);
setInterval(() => document.hidden || load(true), AGAIN_MS);
