// A note, a concern about the person, or a hazard: what, how urgent, in one's own words.

import { tell } from "../actions.js";
import { visitOf } from "../day.js";
import { h } from "../dom.js";
import { t } from "../words.js";
import { addressOf, banner, button, choices, chosenOf, emergency, go, once } from "./parts.js";

export function report(key) {
  const visit = key === undefined ? null : visitOf(key);
  const back = visit ? addressOf(visit, "visit") : "#/";
  return { title: () => t("reportSomething"), back, draw: () => [form(visit, back)] };
}

function form(visit, back) {
  const words = h("textarea", { id: "words", rows: "5", maxlength: "4000", required: true, "aria-describedby": "words-missing" });
  const missing = h("p", { class: "wrong", id: "words-missing", role: "alert" });
  const danger = banner("critical", h("p", {}, t("dangerFirst")), emergency());
  const urgency = choices("urgency", t("howUrgent"), [["now", t("urgentNow")], ["today", t("urgentToday")], ["routine", t("urgentRoutine")]], "today");
  const pressed = button(t("saveAndSend"), { class: "button big primary", id: "save-report" });
  const whole = h(
    "form",
    { class: "form", novalidate: true },
    visit && h("p", { class: "quiet" }, t("about", { name: visit.name || t("unplannedVisit") })),
    choices("kind", t("whatKind"), [["note", t("kindNote")], ["concern", t("kindConcern")], ["hazard", t("kindHazard")]], "note"),
    urgency,
    danger,
    h("label", { for: "words" }, t("inYourWords")),
    words,
    missing,
    pressed,
  );
  whole.addEventListener("change", follow);
  whole.addEventListener("submit", (event) => event.preventDefault());
  pressed.addEventListener("click", save);
  follow();
  return whole;

  function follow() {
    urgency.hidden = chosenOf(whole, "kind") === "note";
    danger.hidden = urgency.hidden || chosenOf(whole, "urgency") !== "now";
  }

  async function save() {
    if (!words.value.trim()) {
      missing.textContent = t("wordsMissing");
      words.focus();
      return;
    }
    const kind = chosenOf(whole, "kind");
    const what = { words: words.value.trim(), urgency: kind === "note" ? undefined : chosenOf(whole, "urgency") };
    if (await once(pressed, () => tell(kind, visit, what), t("saidReport"))) go(back);
  }
}
