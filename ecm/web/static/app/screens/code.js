// The code that a card or token in the home shows just now.

import { checkIn, checkOut } from "../actions.js";
import * as clock from "../clock.js";
import { visitOf } from "../day.js";
import { h } from "../dom.js";
import { hourMinute, t } from "../words.js";
import { addressOf, button, go, once } from "./parts.js";

export function code(key) {
  const visit = visitOf(key);
  return {
    title: () => t("enterCode"),
    back: addressOf(visit, "visit"),
    draw: () => [form(visit)],
  };
}

function form(visit) {
  const out = visit.stage === "here";
  const typed = h("input", { id: "code", inputmode: "numeric", autocomplete: "off", maxlength: "12", class: "digits", "aria-describedby": "code-missing" });
  const missing = h("p", { class: "wrong", id: "code-missing", role: "alert" });
  const pressed = button(out ? t("checkOut") : t("checkIn"), { class: `button big ${out ? "primary" : "good"}`, id: "use-code" });
  const whole = h("form", { class: "form", novalidate: true }, h("label", { for: "code" }, t("codeOnCard")), h("p", { class: "quiet small" }, t("codeHow")), typed, missing, pressed);
  whole.addEventListener("submit", (event) => {
    event.preventDefault();
    pressed.click();
  });
  pressed.addEventListener("click", async () => {
    const digits = typed.value.replace(/\s/g, "");
    if (!/^\d{6,8}$/.test(digits)) {
      missing.textContent = t("codeWrong");
      typed.focus();
      return;
    }
    const saidAfter = t(out ? "saidOut" : "saidIn", { time: hourMinute(clock.now()) });
    const done = await once(pressed, () => (out ? checkOut : checkIn)(visit, { code: digits }), saidAfter);
    if (done) go(out ? "#/" : addressOf(visit, "visit"));
  });
  return whole;
}
