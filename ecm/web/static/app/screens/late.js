// Running late: why, in one tap.

import { tell } from "../actions.js";
import { visitOf } from "../day.js";
import { h } from "../dom.js";
import { t } from "../words.js";
import { addressOf, button, go, once } from "./parts.js";

const REASONS = [
  ["traffic", "lateTraffic"],
  ["visit_before_overran", "lateBefore"],
  ["vehicle_trouble", "lateVehicle"],
  ["cannot_find", "lateFinding"],
  ["emergency", "lateEmergency"],
  ["other", "lateOther"],
];

export function late(key) {
  const visit = visitOf(key);
  return {
    title: () => t("runningLate"),
    back: addressOf(visit, "visit"),
    draw: () => [
      h("p", {}, t("lateWhy", { name: visit.name })),
      h("div", { class: "six" }, REASONS.map(([reason_code, words]) => choice(visit, reason_code, t(words)))),
    ],
  };
}

function choice(visit, reason_code, words) {
  const pressed = button(words, { class: "button large" });
  pressed.addEventListener("click", () => once(pressed, () => tell("late_reason", visit, { reason_code }), t("saidLate")).then((done) => done && go(addressOf(visit, "visit"))));
  return pressed;
}
