// A shared phone: whose hands it is in, by number and PIN. Where no PIN can be checked, a visit is recorded all the same.

import { Away, Refusal } from "../api.js";
import { h } from "../dom.js";
import { carryOnWithout, forgetOpenedBy, unlock as unlockWith, unlockAlone } from "../session.js";
import { state } from "../state.js";
import { t } from "../words.js";
import { button, card } from "./parts.js";

export function unlock() {
  return { title: () => t("unlockTitle"), key: () => [state.trouble], draw: () => [card(form())] };
}

function form() {
  const worker = h("input", { id: "worker", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: "200" });
  const pin = h("input", { id: "pin", type: "password", inputmode: "numeric", autocomplete: "off", maxlength: "20", class: "digits", "aria-describedby": "pin-wrong" });
  const wrong = h("p", { class: "wrong", id: "pin-wrong", role: "alert" });
  const without = button(t("withoutPin"), { class: "button wide", hidden: true, id: "without-pin" });
  const pressed = button(t("open"), { class: "button big primary", id: "open" });
  const whole = h("form", { class: "form", novalidate: true }, h("label", { for: "worker" }, t("yourNumber")), worker, h("label", { for: "pin" }, t("yourPin")), pin, wrong, pressed, without);
  whole.addEventListener("submit", (event) => {
    event.preventDefault();
    pressed.click();
  });
  pressed.addEventListener("click", open);
  without.addEventListener("click", () => carryOnWithout(worker.value.trim()));
  return whole;

  async function open() {
    if (pressed.getAttribute("aria-disabled") === "true") return;
    const [who, typed] = [worker.value.trim(), pin.value.trim()];
    if (!who || !typed) return complain("pinMissing");
    pressed.setAttribute("aria-disabled", "true");
    try {
      await unlockWith(who, typed);
    } catch (error) {
      if (error instanceof Refusal && error.status < 500) {
        if (error.left) await forgetOpenedBy(who);
        complain({ 401: "phoneUnknown", 429: "pinWait" }[error.status] || (error.left ? "pinLeft" : "pinWrong"));
        without.hidden = false; // a forgotten PIN, or a colleague's guesses, keep nobody from recording
      }
      else if (error instanceof Away || error instanceof Refusal) await alone(who, typed);
      else throw error;
    } finally {
      pressed.removeAttribute("aria-disabled");
    }
  }

  async function alone(who, typed) {
    const opened = await unlockAlone(who, typed);
    if (opened === "yes") return;
    complain({ no: "pinWrong", wait: "pinWait", never: "pinAway" }[opened]);
    without.hidden = false;
  }

  function complain(key) {
    wrong.textContent = t(key);
    pin.value = "";
    pin.focus();
  }
}
