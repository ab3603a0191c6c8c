// What this phone keeps: every record of the last seven days and what became of it.

import { retryRefused } from "../outbox.js";
import { h, icon } from "../dom.js";
import { sendingNow } from "../frame.js";
import { sendSoon } from "../sender.js";
import { inMemoryOnly, own, state, toLookAt, waiting } from "../state.js";
import { dayOf, hourMinute, t } from "../words.js";
import { banner, button, card } from "./parts.js";

const SHOWN = 100;

export function kept() {
  return {
    title: () => t("whatIsKept"),
    back: "#/",
    key: () => [own().map((record) => [record.id, record.status]), state.records.length, state.sending.problem, state.trouble],
    draw: () => [
      summary(),
      state.sending.problem === "unknown" && banner("warning", t("sendingUnknown")),
      toLookAt().length > 0 && banner("critical", h("p", {}, t("lookAtHow")), retrying()),
      waiting().length > 0 && sending(),
      own().length ? h("ul", { class: "kept" }, own().reverse().slice(0, SHOWN).map(row)) : !others() && card(h("p", { class: "empty" }, t("nothingKept"))),
      others() > 0 && h("p", { class: "quiet" }, t("keptOfOthers", { n: others() })),
      h("p", { class: "quiet small" }, t("keptSevenDays")),
    ],
  };
}

const others = () => state.records.length - own().length;

function summary() {
  const now = sendingNow();
  return banner(now.tone, h("p", {}, h("strong", {}, now.words)), waiting().length && !inMemoryOnly() ? h("p", {}, t("carryOn")) : "");
}

function sending() {
  const pressed = button(t("sendNow"), { class: "button wide primary", id: "send-now" });
  pressed.addEventListener("click", () => sendSoon());
  return pressed;
}

function retrying() {
  const pressed = button(t("tryAgain"), { class: "button" });
  pressed.addEventListener("click", () => retryRefused().then(sendSoon));
  return pressed;
}

const KINDS = {
  check_in: "kindIn", check_out: "kindOut", at_the_door: "kindDoor", late_reason: "kindLate", no_reply: "noReply", concern: "kindConcern",
  hazard: "kindHazard", sos: "kindSos", note: "kindNote", tasks: "kindTasks",
};

function row(record) {
  const { said } = record;
  const visit = said.visit && state.day && state.day.visits.find((one) => one.ref === said.visit);
  return h(
    "li",
    { class: record.status },
    h("p", {}, h("strong", {}, `${hourMinute(said.occurred_at)} ${t(KINDS[said.kind])}`), visit ? ` · ${visit.name}` : "", h("span", { class: "quiet" }, ` · ${dayOf(said.occurred_at)}`)),
    h("p", { class: "status" }, icon({ sent: "good", waiting: "kept" }[record.status] || "warning"), h("span", {}, statusOf(record))),
    record.detail && h("p", { class: "quiet small" }, record.detail),
  );
}

function statusOf(record) {
  if (record.status === "sent") return t("sentAt", { time: hourMinute(record.received_at) });
  if (record.status === "waiting") return t(record.unsaved ? "notSaved" : "keptNotSent");
  const key = record.status === "conflict" ? "keptConflict" : "keptRefused";
  return `${t(key)} ${t(record.office_has_it ? "officeHasIt" : "showOffice")}`;
}
