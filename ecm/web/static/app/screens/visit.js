// One visit: its card, who else is there, what is to be done, and what else can be said of it.

import { tick, ticks } from "../actions.js";
import { Refusal, ask } from "../api.js";
import * as clock from "../clock.js";
import { visitOf } from "../day.js";
import { h, icon } from "../dom.js";
import { state } from "../state.js";
import { hourMinute, t } from "../words.js";
import { addressOf, banner, button, card, colleagues, link } from "./parts.js";
import { stay } from "./stay.js";

const KEY_SAFE_MS = 30 * 60000; // before the visit and after it, as the service has it
const SHOWN_MS = 60000;

export function visitScreen(key) {
  let alive = () => {};
  return {
    title: () => (visitOf(key) || {}).name || t("unplannedVisit"),
    back: "#/",
    key: () => [visitOf(key), state.tag && state.tag.read_at, isNear(visitOf(key))],
    draw() {
      const visit = visitOf(key);
      if (!visit) return [card(h("p", { class: "empty" }, t("visitGone")))];
      const shown = stay(visit, false);
      alive = shown.alive;
      return [
        visit.time_critical && visit.stage === "to_do" && banner("warning", t("timeCritical")),
        shown.element,
        colleagues(visit),
        visit.key_safe && isNear(visit) && keySafe(visit),
        visit.tasks.length ? tasks(visit) : "",
        h(
          "div",
          { class: "links" },
          visit.stage === "to_do" && link(t("runningLate"), addressOf(visit, "late"), "clock"),
          (visit.stage === "to_do" || visit.stage === "here") && link(t("enterCode"), addressOf(visit, "code"), "code"),
          link(t("reportSomething"), addressOf(visit, "report"), "note"),
          visit.stage === "here" && link(t("careNotGiven"), addressOf(visit, "leave"), "door"),
        ),
      ];
    },
    alive: () => alive(),
  };
}

function tasks(visit) {
  const list = h("ul", { class: "tasks" });
  ticks(visit).then((done) =>
    list.append(
      ...visit.tasks.map((name, at) => {
        const box = h("input", { type: "checkbox", checked: done.includes(at), disabled: visit.stage !== "here" });
        box.addEventListener("change", () => tick(visit, at, box.checked));
        return h("li", {}, h("label", {}, box, h("span", {}, name)));
      }),
    ),
  );
  return card(h("h2", {}, t("toDo")), visit.stage === "to_do" && h("p", { class: "quiet small" }, t("tickOnceIn")), list);
}

/** Asked for when wanted, shown for a minute, kept nowhere. */
function keySafe(visit) {
  const shown = h("p", { class: "secret", "aria-live": "polite" });
  const pressed = button([icon("key"), h("span", {}, t("keySafe"))], { class: "button wide" });
  pressed.addEventListener("click", async () => {
    shown.textContent = t("asking");
    try {
      const path = `/v1/app/visits/${visit.id}/key-safe`;
      const { code } = await ask("GET", path, { by: state.phone, unlock: state.who.unlock });
      shown.textContent = code;
      setTimeout(() => (shown.textContent = ""), SHOWN_MS);
    } catch (error) {
      shown.textContent = error instanceof Refusal ? t("keySafeNo") : t("keySafeAway");
    }
  });
  return card(pressed, shown, h("p", { class: "quiet small" }, t("keySafeTimes", { from: hourMinute(Date.parse(visit.planned_start) - KEY_SAFE_MS) })));
}

function isNear(visit) {
  if (!visit || !visit.planned_start) return false;
  const now = clock.now();
  return now >= Date.parse(visit.planned_start) - KEY_SAFE_MS && now <= Date.parse(visit.planned_end) + KEY_SAFE_MS;
}
