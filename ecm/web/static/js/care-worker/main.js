// What one care worker's check-ins have in common: questions for a person to ask, with how many of how many, what is
// usual, and the visits each stands on.

import "../frame.js";
import { ask } from "../api.js";
import { byId, h, svg, tag } from "../dom.js";
import { page } from "../page.js";
import { PATTERNS, VERDICTS, capital, count, label, many } from "../strings.js";
import { dayOfDate } from "../time.js";

const FIRST = { ask: 0, usual: 1, too_few: 2 };
const SUMMARY = [
  [(questions) => questions > 0, (questions) => `${many(questions, "question")} to ask.`],
  [(_, patterns) => patterns.every((one) => one.verdict === "too_few"), () => `Too few ${label.visits} to tell anything.`],
  [() => true, () => "Nothing to ask."],
];
const root = byId("page");
const wanted = new URLSearchParams(location.search);

async function load() {
  root.setAttribute("aria-busy", "true");
  const span = ["since", "until"].filter((name) => wanted.get(name)).map((name) => `${name}=${encodeURIComponent(wanted.get(name))}`).join("&");
  try {
    draw(await ask("GET", `/v1/care-workers/${encodeURIComponent(page.worker)}/patterns?${span}`));
  } catch (problem) {
    failed(problem);
  }
  root.removeAttribute("aria-busy");
}

function draw(sheet) {
  document.title = `${capital(label.worker)} ${sheet.care_worker} · ecm`; // a title stands in the browser's history: it names nobody
  const patterns = [...sheet.patterns].sort((a, b) => FIRST[a.verdict] - FIRST[b.verdict]);
  const questions = patterns.filter((one) => one.verdict === "ask").length;
  root.replaceChildren(
    h("header", { class: "worker-head" },
      h("h1", {}, sheet.name, h("span", { class: "quiet" }, ` · ${sheet.care_worker}`)),
      h("p", { class: "quiet" }, `${sheet.provider_name} · ${many(sheet.visits, label.visit, label.visits)}, ${many(sheet.events, "check-in and check-out", "check-ins and check-outs")}${sheet.whole ? "" : ", the newest of more"}`)),
    spanForm(sheet),
    h("p", { class: "banner information", role: "note" }, sheet.notice),
    sheet.events
      ? h("p", { class: "summary" }, h("b", {}, SUMMARY.find(([fits]) => fits(questions, patterns))[1](questions)), ` From ${dayOfDate(sheet.since)} to ${dayOfDate(sheet.until)}.`)
      : h("p", { class: "empty card" }, h("strong", {}, `No ${label.visits} from ${dayOfDate(sheet.since)} to ${dayOfDate(sheet.until)}.`), "Choose other dates."),
    h("div", { class: "patterns" }, sheet.events ? patterns.map(card) : []));
}

function card(pattern) {
  const [word, iconName, tone] = VERDICTS[pattern.verdict];
  const id = `pattern-${pattern.code}`;
  return h("section", { class: `card pattern ${pattern.verdict}`, "aria-labelledby": id },
    h("header", {}, h("h2", { id }, PATTERNS[pattern.code] ?? capital(pattern.code.replaceAll("_", " "))), h("span", { class: "grow" }), tag(tone, iconName, word)),
    h("div", { class: "body" },
      pattern.verdict === "too_few" ? h("p", {}, `${capital(many(pattern.sample, "case"))}: too few to tell habit from chance.`) : h("p", {}, `${pattern.words}.`),
      pattern.verdict !== "too_few" && gauge(pattern),
      h("p", { class: "quiet small" }, `${pattern.usual}.`),
      pattern.verdict === "ask" && visits(pattern)));
}

/** The share against its limit, to scale. */
function gauge({ share, limit }) {
  const percent = (part) => `${Math.round(part * 1000) / 10} %`;
  const top = Math.min(1, Math.max(share, limit) * 1.25);
  const x = (part) => (100 * part) / top;
  const words = `${percent(share)}, asked about over ${percent(limit)}`;
  return h("div", { class: "gauge" },
    svg("svg", { viewBox: "0 0 100 6", preserveAspectRatio: "none", role: "img", "aria-label": words },
      svg("rect", { class: "track", width: 100, height: 6 }), svg("rect", { class: "share", width: x(share), height: 6 }), svg("rect", { class: "limit", x: x(limit) - 0.3, width: 0.6, height: 6 })),
    h("p", { class: "small" }, words));
}

function visits({ visits: some, count: n }) {
  if (!some.length) return null;
  return h("details", {}, h("summary", {}, `${capital(label.visits)} it stands on: ${count(some.length)}`),
    h("ul", { class: "stands-on" }, some.map((visit) => h("li", {}, h("a", { href: `/visits/${visit.id}` }, dayOfDate(visit.date)), h("span", { class: "quiet small" }, ` ${visit.ref}`)))),
    some.length >= 50 && n > some.length && h("p", { class: "quiet small" }, "The first fifty are listed."));
}

function spanForm(sheet) {
  const since = h("input", { id: "since", type: "date", value: sheet.since, required: true });
  const until = h("input", { id: "until", type: "date", value: sheet.until, required: true });
  const form = h("form", { class: "span" }, h("div", { class: "field" }, h("label", { for: "since" }, "From"), since), h("div", { class: "field" }, h("label", { for: "until" }, "To"), until), h("button", { class: "button", type: "submit" }, "Look"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    wanted.set("since", since.value);
    wanted.set("until", until.value);
    history.replaceState(null, "", `?${wanted}`);
    load();
  });
  return form;
}

function failed(problem) {
  const missing = problem.status === 404;
  root.replaceChildren(h("section", { class: "card message" },
    h("h1", {}, missing ? `There is no such ${label.worker} here` : "This sheet could not be read"),
    h("p", {}, missing ? "They may work for another provider or authority." : problem.message),
    h("p", {}, missing ? h("a", { class: "button", href: "/board" }, "To the board") : h("button", { class: "button primary", type: "button", onclick: load }, "Try again"))));
}

load();
