// Leaving before the planned time is used: why, in one tap. Every answer checks out.

import { checkOut } from "../actions.js";
import * as clock from "../clock.js";
import { visitOf } from "../day.js";
import { h } from "../dom.js";
import { hourMinute, t } from "../words.js";
import { addressOf, button, go, once } from "./parts.js";

// reason_code, words, whether care was not given
const REASONS = [
  ["all_done", "leaveDone", false],
  ["person_asked", "leaveAsked", false],
  ["refused", "leaveRefused", true],
  ["in_hospital", "leaveHospital", true],
  ["emergency", "leaveEmergency", false],
  ["other", "leaveOther", false],
];

export function leave(key) {
  const visit = visitOf(key);
  return {
    title: () => t("checkOut"),
    back: addressOf(visit, "visit"),
    draw: () => [
      h("p", {}, t("leaveWhy", { name: visit.name })),
      h("div", { class: "six" }, REASONS.map(([reason_code, words, no_care]) => choice(visit, { reason_code, no_care }, t(words)))),
    ],
  };
}

function choice(visit, how, words) {
  const pressed = button(words, { class: "button large" });
  const after = () => t("saidOut", { time: hourMinute(clock.now()) });
  pressed.addEventListener("click", () => once(pressed, () => checkOut(visit, how), after()).then((done) => done && go("#/")));
  return pressed;
}
