// Actuals: what a period comes to. Funders are never mixed; exceptions come first, by the money at stake.

import "../frame.js";
import { Problem, ask } from "../api.js";
import { asking } from "../dialogs.js";
import { byId, h, icon, tag } from "../dom.js";
import { page } from "../page.js";
import { FUNDERS, STATES, capital, count, exceptionWords, label, many } from "../strings.js";
import { dayOfDate, pounds, withSeconds, dayOf } from "../time.js";
import { provingAgain } from "../step-up.js";
import { stepsTable } from "../visit/pay.js";
import { bridge } from "./bridge.js";

const root = byId("page");
const PAGE = 100;
let period = new URLSearchParams(location.search).get("period") || weekOf(new Date());

async function load() {
  history.replaceState(null, "", `?period=${encodeURIComponent(period)}`);
  root.setAttribute("aria-busy", "true");
  try {
    draw(await ask("GET", `/v1/actuals?period=${encodeURIComponent(period)}&limit=${PAGE}`));
  } catch (problem) {
    const words = problem instanceof Problem ? problem.message : String(problem);
    root.replaceChildren(top(null), h("section", { class: "card message" }, h("h2", {}, "That period could not be read"), h("p", {}, words), h("p", {}, h("button", { class: "button primary", type: "button", onclick: load }, "Try again"))));
  }
  root.removeAttribute("aria-busy");
}

function draw(actuals) {
  const { totals } = actuals;
  const parts = totals.length ? [bridgeCard(totals), totalsCard(totals), linesCard(actuals.lines)] : [emptyCard(actuals)];
  root.replaceChildren(top(actuals), ...parts);
}

function top(actuals) {
  const picker = h("input", { id: "period", value: period, "aria-label": "Period", list: "periods", autocomplete: "off" });
  const near = [-28, -21, -14, -7, 0].map((days) => weekOf(new Date(Date.now() + days * 86_400_000)));
  const form = h("form", { class: "spread picker" }, h("button", { class: "button", type: "button", "aria-label": "Week before", onclick: () => go(step(period, -1)) }, "‹"), picker, h("datalist", { id: "periods" }, near.map((one) => h("option", { value: one }))), h("button", { class: "button", type: "button", "aria-label": "Week after", onclick: () => go(step(period, 1)) }, "›"), h("button", { class: "button", type: "submit" }, "Show"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(picker.value.trim());
  });
  const paid = sumOf(actuals?.totals ?? [], "amount_pence");
  const visits = sumOf(actuals?.totals ?? [], "visits");
  const providers = new Set(actuals?.totals.map((total) => total.provider)).size;
  const state = !actuals ? "" : actuals.locked_at ? tag("good", "good", "Locked") : actuals.run_at ? tag("information", "clock", `Run ${dayOf(actuals.run_at)} ${withSeconds(actuals.run_at).slice(0, 5)}`) : tag("quiet", "planned", "Not run yet");
  return h("header", { class: "actuals-head" },
    h("div", {}, h("h1", {}, actuals?.run_at ? `${period} · ${pounds(paid)} payable` : period), actuals?.starts_on && h("p", { class: "quiet" }, `${dayOfDate(actuals.starts_on)} to ${dayOfDate(actuals.ends_on)}`, actuals.totals.length > 0 && ` · ${many(providers, "provider")} · ${many(visits, label.visit, label.visits)} · ${perFunder(actuals.totals)}`)),
    h("div", { class: "spread" }, state, form, actuals?.run_at && exports(), actuals && !actuals.locked_at && page.may.has("run_payment") && runButton(actuals), actuals && mayBeLocked(actuals) && lockButton(actuals)));
}

const sumOf = (totals, what) => totals.reduce((sum, total) => sum + total[what], 0);
const mayBeLocked = (actuals) => page.may.has("lock_period") && actuals.run_at && !actuals.locked_at && !actuals.running_since && !(actuals.requested_at > actuals.run_at);

function perFunder(totals) {
  const sums = new Map();
  for (const total of totals) sums.set(total.funder, (sums.get(total.funder) ?? 0) + total.amount_pence);
  return [...sums].map(([funder, pence]) => `${FUNDERS[funder] ?? funder} ${pounds(pence)}`).join(" · ") + (sums.size > 1 ? " (never mixed in a file)" : "");
}

function exports() {
  return h("span", { class: "spread" }, ["csv", "xlsx", "abacus"].map((format) => h("a", { class: "button", href: `/v1/actuals/${encodeURIComponent(period)}/export?format=${format}`, download: "" }, icon("download"), format === "abacus" ? "Abacus" : format.toUpperCase())));
}

function runButton(actuals) {
  const button = h("button", { class: "button primary", type: "button" }, actuals.run_at ? "Run again" : "Run this period");
  button.addEventListener("click", async () => {
    button.disabled = true;
    button.textContent = "Running…";
    try {
      const { requested_at } = await ask("POST", `/v1/actuals/${encodeURIComponent(period)}/runs`);
      for (let tries = 0; tries < 60; tries += 1) {
        await new Promise((wake) => setTimeout(wake, 1_000));
        const now = await ask("GET", `/v1/actuals?period=${encodeURIComponent(period)}&limit=${PAGE}`);
        if (now.run_at && now.run_at >= requested_at) return draw(now);
      }
      throw new Problem(0, "The run is taking longer than a minute. Look again later; it goes on by itself.");
    } catch (problem) {
      root.prepend(h("p", { class: "banner warning", role: "alert" }, problem.message));
      button.disabled = false;
      button.textContent = "Run again";
    }
  });
  return button;
}

/** Asks once more, because a locked period stays locked, and says what is locked. */
function lockButton({ totals }) {
  const lock = () => asking({
    title: `Lock ${period}?`, submit: "Lock it", danger: true, done: load,
    body: [h("p", {}, h("b", {}, `${pounds(sumOf(totals, "amount_pence"))} payable`), ` for ${many(sumOf(totals, "visits"), label.visit, label.visits)}.`), h("p", {}, "Its lines can then not be changed any more. What comes later goes into the next open period.")],
    act: () => provingAgain(() => ask("POST", `/v1/actuals/${encodeURIComponent(period)}/lock`, undefined, {}, { stay: true })),
  });
  return h("button", { class: "button primary", type: "button", onclick: lock }, "Lock this period…");
}

function emptyCard(actuals) {
  return h("section", { class: "card" }, h("p", { class: "empty" }, h("strong", {}, actuals.run_at ? `No ${label.visits} fall in this period.` : "This period has not been run yet."), actuals.run_at ? "Choose another one above." : page.may.has("run_payment") ? "Run it to see what it comes to. A run pays nobody." : "Finance runs it; then its lines stand here."));
}

function bridgeCard(totals) {
  return h("section", { class: "card", "aria-labelledby": "bridge-title" }, h("header", {}, h("h2", { id: "bridge-title" }, "From planned to payable"), h("span", { class: "grow" }), h("span", { class: "quiet" }, "by provider, £")), h("div", { class: "body" }, bridge(totals)));
}

function totalsCard(totals) {
  const heads = ["Provider", "Funder", capital(label.visits), "Planned min", "Captured min", "Payable min", "Planned £", "Payable £", "To look at"];
  return h("section", { class: "card", "aria-labelledby": "totals-title" }, h("header", {}, h("h2", { id: "totals-title" }, "By provider and funder")),
    h("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "Rows" }, h("table", {}, h("thead", {}, h("tr", {}, heads.map((words, n) => h("th", { scope: "col", class: n > 1 ? "number" : "" }, words)))), h("tbody", {}, totals.map((total) => h("tr", {}, h("th", { scope: "row" }, total.provider_name), h("td", {}, FUNDERS[total.funder] ?? total.funder), ...[total.visits, total.planned_minutes, total.actual_minutes, total.payable_minutes].map((n) => h("td", { class: "number" }, count(Math.round(n)))), h("td", { class: "number" }, money(total.planned_pence)), h("td", { class: "number" }, h("b", {}, money(total.amount_pence))), h("td", { class: "number" }, total.exceptions ? `${count(total.exceptions)} · £${money(total.exceptions_pence)}` : "none")))))));
}

function linesCard(first) {
  const body = h("tbody");
  const more = h("button", { class: "button", type: "button" }, "Show more lines");
  const add = ({ items, next }) => {
    body.append(...items.flatMap(line));
    more.hidden = !next;
    more.onclick = async () => {
      more.disabled = true;
      add(await ask("GET", `/v1/actuals?period=${encodeURIComponent(period)}&limit=500&cursor=${encodeURIComponent(next)}`).then((more) => more.lines));
      more.disabled = false;
    };
  };
  add(first);
  const heads = [capital(label.visit), "Why look", "Planned", "Captured", "Payable", "£", ""];
  return h("section", { class: "card", "aria-labelledby": "lines-title" }, h("header", {}, h("h2", { id: "lines-title" }, "Lines, the most at stake first")), h("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "Rows" }, h("table", { class: "lines" }, h("thead", {}, h("tr", {}, heads.map((words, n) => h("th", { scope: "col", class: n > 1 && n < 6 ? "number" : "" }, words || h("span", { class: "unseen" }, "Working"))))), body)), h("div", { class: "body" }, more));
}

function line(one) {
  const working = h("tr", { class: "working", hidden: true }, h("td", { colspan: 7 }));
  const toggle = h("button", { class: "button", type: "button", "aria-expanded": "false", "aria-label": `Working of ${one.visit_ref}` }, "Working");
  toggle.addEventListener("click", () => {
    working.hidden = !working.hidden;
    toggle.setAttribute("aria-expanded", String(!working.hidden));
    if (!working.hidden && !working.firstChild.firstChild) working.firstChild.append(stepsTable(one.steps, { minutes: one.payable_minutes, amount_pence: one.amount_pence }));
  });
  const number = (n) => h("td", { class: "number" }, count(Math.round(n * 10) / 10));
  return [h("tr", {}, h("td", {}, h("a", { href: `/visits/${one.visit}` }, one.visit_ref), h("div", { class: "quiet small" }, `${dayOfDate(one.date)} · ${STATES[one.state]?.[0] ?? one.state} · ${FUNDERS[one.funder] ?? one.funder}`)), h("td", {}, one.exception && tag("warning", null, exceptionWords(one.exception)), one.changed_since_run && tag("information", null, "changed since the run")), number(one.planned_minutes), number(one.actual_minutes), number(one.payable_minutes), h("td", { class: "number" }, h("b", {}, money(one.amount_pence))), h("td", {}, toggle)), working];
}

function go(to) {
  if (!to) return;
  period = to;
  load();
}

function step(from, by) {
  const week = /^(\d{4})-W(\d{2})$/.exec(from);
  if (!week) return weekOf(new Date(Date.now() + by * 7 * 86_400_000));
  const fourth = new Date(Date.UTC(Number(week[1]), 0, 4));
  return weekOf(new Date(fourth.getTime() + ((Number(week[2]) - 1 + by) * 7) * 86_400_000));
}

/** ISO 8601: the week of the year that holds its Thursday. */
function weekOf(date) {
  const thursday = new Date(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const week = Math.ceil(((thursday - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / 86_400_000 + 1) / 7);
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, "0")}`;
}

const money = (pence) => (pence / 100).toLocaleString("en-GB", { minimumFractionDigits: 2 });

load();
