// What belongs nowhere yet: evidence that matched no visit, to be linked or rejected, and what could not be read.

import "../frame.js";
import { ask } from "../api.js";
import { byId, h, icon, tag } from "../dom.js";
import { page } from "../page.js";
import { METHODS, capital, count, label, many } from "../strings.js";
import { dayOf, hourMinute, lasting } from "../time.js";

const root = byId("page");
const PAGE = 50;
const MAY = page.may.has("amend_visit");
let reasons = [];

async function load() {
  try {
    const [unmatched, quarantined, codes] = await Promise.all([
      ask("GET", `/v1/unmatched?limit=${PAGE}`),
      page.may.has("read_quarantine") ? ask("GET", "/v1/quarantine?limit=100") : null,
      ask("GET", "/v1/reason-codes"),
    ]);
    reasons = codes.reason_codes;
    draw(unmatched, quarantined);
  } catch (problem) {
    root.removeAttribute("aria-busy");
    root.replaceChildren(h("section", { class: "card message" }, h("h1", {}, "The exceptions could not be read"), h("p", {}, problem.message), h("p", {}, h("button", { class: "button primary", type: "button", onclick: load }, "Try again"))));
  }
}

function draw(unmatched, quarantined) {
  const list = h("ul", { class: "events" });
  const more = h("button", { class: "button wide", type: "button", hidden: true }, "Show more");
  const badge = h("span", { class: "count critical" });
  const empty = h("p", { class: "empty" }, h("strong", {}, "Everything received belongs to somebody."), `Check-ins that fit no ${label.visit} would wait here.`);
  let held = 0;
  const recount = (by) => {
    held += by;
    badge.textContent = count(held) + (more.hidden ? "" : "+");
    badge.className = `count ${held ? "critical" : "zero"}`;
    empty.hidden = held > 0;
  };
  const add = ({ items, next }) => {
    list.append(...items.map((event) => eventItem(event, () => recount(-1))));
    more.hidden = !next;
    more.onclick = async () => add(await ask("GET", `/v1/unmatched?limit=${PAGE}&cursor=${encodeURIComponent(next)}`));
    recount(items.length);
  };
  root.removeAttribute("aria-busy");
  root.replaceChildren(...[
    h("h1", {}, "Exceptions"),
    quarantined && h("p", { class: `banner ${quarantined.items.length ? "warning" : "good"}` }, quarantined.items.length ? `${many(quarantined.items.length, "message")}${quarantined.next ? " or more" : ""} could not be understood and lie in quarantine, kept as they came.` : "Nothing is in quarantine: every message was understood."),
    h("section", { class: "card", "aria-labelledby": "unmatched-title" }, h("header", {}, h("h2", { id: "unmatched-title" }, `Evidence without a ${label.visit}`), badge, h("span", { class: "grow" }), h("button", { class: "button", type: "button", onclick: load }, "Look again")), empty, list, more)].filter(Boolean));
  add(unmatched);
}

function eventItem(event, settled) {
  const delay = Date.parse(event.received_at) - Date.parse(event.occurred_at);
  const facts = [event.care_worker && `${label.worker} ${event.care_worker}`, event.service_user && `${label.person} ${event.service_user}`, event.visit_ref && `named ${label.visit} ${event.visit_ref}`, event.cli && `from ${event.cli}`, event.fix && `fix ± ${Math.round(event.fix.accuracy_m ?? 0)} m`, delay > 120_000 && `received ${lasting(delay)} later`];
  const said = h("p", { role: "status", class: "small", hidden: true });
  const item = h("li", { class: "event" },
    h("div", { class: "when" }, h("b", {}, hourMinute(event.occurred_at)), h("span", { class: "quiet small" }, dayOf(event.occurred_at))),
    h("div", {}, h("div", { class: "spread" }, h("b", {}, event.kind === "check_in" ? "Check-in" : "Check-out"), tag("information", null, METHODS[event.method] ?? event.method), tag("warning", null, event.reason)), h("p", { class: "quiet" }, facts.filter(Boolean).join(" · ")), said),
    MAY && forms(event, said, () => { item.classList.add("done"); settled(); }));
  return item;
}

function forms(event, said, done) {
  const reason = h("select", { "aria-label": "Reason" }, h("option", { value: "" }, "Reason…"), reasons.map(({ code, text }) => h("option", { value: code }, text)));
  const visit = h("select", { "aria-label": `Which ${label.visit}` }, h("option", { value: "" }, `Choose a ${label.visit}…`));
  const day = event.occurred_at.slice(0, 10);
  let asked = false;
  visit.addEventListener("focus", async () => {
    if (asked) return;
    asked = true;
    const by = event.service_user ? `person=${encodeURIComponent(event.service_user)}` : event.care_worker ? `worker=${encodeURIComponent(event.care_worker)}` : "";
    try {
      const { items } = await ask("GET", `/v1/visits?date=${day}&limit=100&${by}`);
      visit.append(...items.map((v) => h("option", { value: v.id }, `${hourMinute(v.planned.start ?? v.actual.start)} ${v.service_user_name}, ${v.ref}`)));
      if (!items.length) tell(said, `No ${label.visits} on that day for ${event.service_user ?? event.care_worker ?? "anybody"}.`);
    } catch (problem) { asked = false; tell(said, problem.message); }
  });
  const act = (button, url, body, words) => async () => {
    if (!reason.value) return reason.focus(), tell(said, "Choose a reason first.");
    const target = typeof url === "function" ? url() : url;
    if (!target) return visit.focus(), tell(said, `Choose the ${label.visit} it belongs to.`);
    try {
      await ask("POST", target, { ...body, reason_code: reason.value });
      tell(said, words);
      done();
    } catch (problem) { tell(said, problem.message); }
  };
  const link = h("button", { class: "button primary", type: "button" }, icon("link"), "Link");
  const reject = h("button", { class: "button", type: "button" }, icon("missed"), "Reject");
  link.addEventListener("click", act(link, () => visit.value && `/v1/visits/${visit.value}/amendments`, { kind: "link", event_id: event.id }, `Linked. The ${label.visit} is being worked out again.`));
  reject.addEventListener("click", act(reject, `/v1/check-events/${event.id}/rejection`, {}, "Rejected. The evidence stays on file."));
  return h("div", { class: "forms" }, reason, visit, link, reject);
}

function tell(element, words) {
  element.textContent = words;
  element.hidden = false;
}

document.title = `${capital("exceptions")} · ecm`;
load();
