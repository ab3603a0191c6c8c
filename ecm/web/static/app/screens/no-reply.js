// Nobody opens: what to try, one after the other; the office is told at once; and how to leave, or go in after all.

import { checkIn, leaveWithoutCare, tell } from "../actions.js";
import * as clock from "../clock.js";
import { visitOf } from "../day.js";
import { h, icon } from "../dom.js";
import { state } from "../state.js";
import { hourMinute, t } from "../words.js";
import { addressOf, banner, button, card, emergency, go, once, telephone } from "./parts.js";

// what is tried, and how it reads in the report: the office's language, whatever the phone's is
const TRIES = [
  ["tryKnock", "knocked"],
  ["tryRing", "rang the bell"],
  ["tryTelephone", "telephoned"],
  ["tryLook", "looked through windows and letter box"],
  ["tryNeighbours", "asked the neighbours"],
];

export function noReply(key) {
  const arrived_at = clock.iso(clock.now());
  const tried = new Set();
  return {
    title: () => t("noReply"),
    back: addressOf(visitOf(key), "visit"),
    key: () => [visitOf(key), told(key)],
    draw() {
      const visit = visitOf(key);
      const before = told(key);
      return [
        banner("critical", h("p", {}, t("dangerFirst")), emergency()),
        before ? afterwards(visit, before) : trying(visit, tried),
        card(answered(visit), before && leaving(visit, since(visit, before, arrived_at))),
      ];
    },
  };
}

/** The report that was made of this visit, if any. */
function told(key) {
  const visit = visitOf(key);
  return state.records.find(({ said }) => said.kind === "no_reply" && (said.visit || null) === ((visit && visit.ref) || null));
}

const since = (visit, record, arrived_at) => [visit.at_door_at, record.said.occurred_at, arrived_at].filter(Boolean).sort()[0];

function trying(visit, tried) {
  const pressed = button(t("tellOffice"), { class: "button big warning", id: "tell-office" });
  pressed.addEventListener("click", () => {
    const words = TRIES.filter(([key]) => tried.has(key)).map(([, said]) => said).join(", ");
    return once(pressed, () => tell("no_reply", visit, { urgency: "now", reason_code: "no_reply", words: words || undefined }), t("saidNoReply"));
  });
  return card(
    h("h2", {}, t("tryThese")),
    h(
      "ol",
      { class: "tasks" },
      TRIES.map(([key]) => {
        const box = h("input", { type: "checkbox", checked: tried.has(key) });
        box.addEventListener("change", () => (box.checked ? tried.add(key) : tried.delete(key)));
        return h("li", {}, h("label", {}, box, h("span", {}, t(key))));
      }),
    ),
    pressed,
    h("p", { class: "quiet small" }, t("tellAnyTime")),
  );
}

function afterwards(visit, record) {
  const nobody = record.status === "sent" && Boolean(record.detail);
  const told = record.status === "sent" && !nobody;
  const words = told ? t("officeTold", { time: hourMinute(record.received_at) }) : t(nobody ? "sosNobody" : "officeNotYet");
  return card(
    h("p", { class: `place ${told ? "good" : "warning"}`, role: "status" }, icon(told ? "good" : "kept"), h("span", {}, words)),
    h("p", {}, t("waitForOffice")),
    telephone(state.day && state.day.desk_phone, t("ringOffice")),
  );
}

function answered(visit) {
  const pressed = button(t("theyAnswered"), { class: "button wide" });
  pressed.addEventListener("click", () => once(pressed, () => checkIn(visit), t("saidIn", { time: hourMinute(clock.now()) })).then((done) => done && go(addressOf(visit, "visit"))));
  return visit.stage === "to_do" ? pressed : "";
}

function leaving(visit, came) {
  const pressed = button(t("leaveNoCare"), { class: "button wide", id: "leave-no-care" });
  pressed.addEventListener("click", () => once(pressed, () => leaveWithoutCare(visit, came, "no_reply"), t("saidLeft")).then((done) => done && go("#/")));
  return pressed;
}
