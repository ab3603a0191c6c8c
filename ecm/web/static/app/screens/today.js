// Today: the next visit with its one big button, then the others in order.

import * as clock from "../clock.js";
import { isOver, nextVisit, visits } from "../day.js";
import { h, icon } from "../dom.js";
import { inMemoryOnly, own, state, toLookAt, waiting } from "../state.js";
import { dayOf, hourMinute, minutesOf, t } from "../words.js";
import { addressOf, banner, card, link } from "./parts.js";
import { stay } from "./stay.js";

const OLD_MS = 15 * 60000;

export function today() {
  let alive = () => {};
  return {
    title: () => t("today"),
    key: () => [visits(), waiting().length, inMemoryOnly(), toLookAt().length, state.trouble, state.tag && state.tag.read_at, isOld(), visits().filter(isOver).length, Boolean(state.day)],
    draw() {
      const all = visits();
      const next = nextVisit(all);
      const shown = next && stay(next, true);
      alive = shown ? shown.alive : () => {};
      return [
        notSent(),
        lookAt(),
        state.trouble === "unknown" && banner("warning", t("phoneUnknown")),
        state.tag && !next && banner("good", t("tagRead")),
        !state.day && card(h("p", { class: "empty" }, t("noDayYet"))),
        shown ? shown.element : state.day && card(h("p", { class: "empty" }, t("nothingMore"))),
        list(t("notRecorded"), all.filter(isOver)),
        list(t("laterToday"), all.filter((visit) => visit !== next && !isOver(visit) && (visit.stage === "to_do" || visit.stage === "here"))),
        list(t("doneToday"), all.filter((visit) => ["done", "no_care", "cancelled"].includes(visit.stage))),
        h("div", { class: "links" }, link(t("unplannedVisit"), "#/unplanned", "plus"), link(t("reportSomething"), "#/report", "note")),
        state.day && h("p", { class: "quiet small" }, t(isOld() ? "dayIsOld" : "dayIs", { day: dayOf(clock.now()), time: hourMinute(state.day.server_time) })),
      ];
    },
    alive: () => alive(),
  };
}

const isOld = () => Boolean(state.day) && Date.now() - state.day.heard_at > OLD_MS;

/** What is saved and not yet sent, with its times, so that nobody writes them down again. */
function notSent() {
  const kept = waiting();
  if (!kept.length || inMemoryOnly()) return ""; // the alarm above says what is so
  const times = own()
    .filter((record) => record.status === "waiting" && record.door === "check-events")
    .slice(-6)
    .map(({ said }) => t(said.kind === "check_in" ? "timeIn" : "timeOut", { time: hourMinute(said.occurred_at) }));
  return banner(
    "warning",
    h("p", {}, h("strong", {}, t("notYetSent", { n: kept.length }))),
    h("p", {}, t("carryOn")),
    times.length ? h("p", {}, t("timesKept", { times: times.join(", ") })) : "",
  );
}

function lookAt() {
  const odd = toLookAt();
  if (!odd.length) return "";
  return banner("critical", h("p", {}, h("strong", {}, t("lookAt", { n: odd.length }))), h("a", { href: "#/kept" }, t("showThem")));
}

function list(title, some) {
  if (!some.length) return "";
  return h("section", {}, h("h2", { class: "list-title" }, title), h("ul", { class: "visits" }, some.map(row)));
}

function row(visit) {
  const others = visit.colleagues.map((other) => other.name || other.care_worker).join(", ");
  const more = { done: t("done"), no_care: t("noCare"), cancelled: t("cancelled"), here: t("here") }[visit.stage];
  return h(
    "li",
    {},
    h(
      "a",
      { class: `visit ${visit.stage}`, href: addressOf(visit, "visit") },
      h("strong", { class: "time" }, hourMinute(visit.planned_start || visit.came_at)),
      h("span", { class: "name" }, visit.name || t("unplannedVisit")),
      h("span", { class: "quiet" }, more || (others ? t("with", { names: others }) : t("minutes", { n: minutesOf(visit) }))),
      (visit.stage === "done" || visit.stage === "no_care") && icon(visit.stage === "done" ? "good" : "door"),
    ),
  );
}
