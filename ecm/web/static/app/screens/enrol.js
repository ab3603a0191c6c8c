// A phone that is not yet set up, or that lost what it had: a code from the office makes it somebody's.

import { Refusal } from "../api.js";
import { h } from "../dom.js";
import * as frame from "../frame.js";
import { enrol as enrolPhone } from "../phone.js";
import { state, waiting } from "../state.js";
import { t } from "../words.js";
import { banner, button, card } from "./parts.js";

export function enrol() {
  return {
    title: () => t("enrolTitle"),
    key: () => [state.trouble, state.rescued, waiting().length, Boolean(state.tag)],
    draw: () => [
      state.trouble === "evicted" && banner("critical", h("p", {}, h("strong", {}, t("evicted"))), h("p", {}, t(state.rescued ? "evictedRescued" : "evictedNothing", { n: state.rescued }))),
      waiting().length > 0 && banner("warning", h("p", {}, h("strong", {}, t("notYetSent", { n: waiting().length }))), h("p", {}, t("carryOn"))),
      state.tag && banner("warning", t("tagNotEnrolled")),
      card(h("p", {}, t("enrolHow")), form()),
    ],
  };
}

function form() {
  const typed = h("input", { id: "enrol-code", autocapitalize: "characters", autocomplete: "one-time-code", spellcheck: "false", maxlength: "40", class: "digits", value: state.code || "", "aria-describedby": "enrol-wrong" });
  typed.addEventListener("input", () => { state.code = typed.value; }); // what is told above may change while somebody types
  const wrong = h("p", { class: "wrong", id: "enrol-wrong", role: "alert" });
  const pressed = button(t("enrolDo"), { class: "button big primary", id: "enrol" });
  const whole = h("form", { class: "form", novalidate: true }, h("label", { for: "enrol-code" }, t("enrolCode")), typed, wrong, pressed);
  whole.addEventListener("submit", (event) => {
    event.preventDefault();
    pressed.click();
  });
  pressed.addEventListener("click", async () => {
    if (pressed.getAttribute("aria-disabled") === "true") return;
    if (!typed.value.trim()) {
      wrong.textContent = t("enrolMissing");
      typed.focus();
      return;
    }
    pressed.setAttribute("aria-disabled", "true");
    try {
      await enrolPhone(typed.value.trim());
      state.code = "";
      frame.say(t("enrolled"));
    } catch (error) {
      wrong.textContent = error instanceof Refusal ? t(error.status === 429 ? "enrolWait" : "enrolRefused") : t("enrolAway");
      typed.focus();
    } finally {
      pressed.removeAttribute("aria-disabled");
    }
  });
  return whole;
}
