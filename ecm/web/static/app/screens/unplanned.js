// A visit that nobody planned: with whom, then the same as any other.

import { checkIn } from "../actions.js";
import * as clock from "../clock.js";
import { visits } from "../day.js";
import { h } from "../dom.js";
import { hourMinute, t } from "../words.js";
import { button, card, go, once } from "./parts.js";

export function unplanned() {
  return { title: () => t("unplannedVisit"), back: "#/", draw: () => [card(h("h2", {}, t("withWhom")), known()), card(somebodyElse())] };
}

function known() {
  const people = new Map(visits().filter((visit) => visit.service_user).map((visit) => [visit.service_user, visit.name]));
  if (!people.size) return h("p", { class: "quiet" }, t("nobodyKnown"));
  return h("div", { class: "stack" }, [...people].map(([service_user, name]) => begin(name, { service_user, name }, {})));
}

function somebodyElse() {
  const typed = h("input", { id: "person", maxlength: "200", autocomplete: "off", "aria-describedby": "person-missing" });
  const missing = h("p", { class: "wrong", id: "person-missing", role: "alert" });
  const pressed = button(t("checkIn"), { class: "button big good", id: "unplanned-in" });
  pressed.addEventListener("click", () => {
    const person = typed.value.trim();
    if (!person) {
      missing.textContent = t("personMissing");
      typed.focus();
      return;
    }
    start(pressed, {}, { person, note: `Unplanned visit: ${person}` });
  });
  return h("div", { class: "form" }, h("label", { for: "person" }, t("somebodyElse")), typed, missing, pressed);
}

function begin(words, visit, how) {
  const pressed = button(words, { class: "button large" });
  pressed.addEventListener("click", () => start(pressed, visit, how));
  return pressed;
}

async function start(pressed, visit, how) {
  if (await once(pressed, () => checkIn(visit, how), t("saidIn", { time: hourMinute(clock.now()) }))) go("#/");
}
