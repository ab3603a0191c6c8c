// Logging out: what goes, what stays, and that nothing unsent is lost.

import { h } from "../dom.js";
import { logOut } from "../phone.js";
import { sendSoon } from "../sender.js";
import { inMemoryOnly, state, waiting } from "../state.js";
import { t } from "../words.js";
import { banner, button, card, link } from "./parts.js";

export function logOutScreen() {
  return {
    title: () => t("logOut"),
    back: "#/more",
    key: () => [waiting().length, Boolean(state.phone)],
    draw() {
      const n = waiting().length;
      return [
        n > 0 && !inMemoryOnly() && banner("warning", h("p", {}, h("strong", {}, t("notYetSent", { n }))), h("p", {}, t("logOutKeeps"))),
        card(h("p", {}, t("logOutWhat")), h("div", { class: "stack" }, n > 0 && first(), out(n), link(t("stay"), "#/", ""))),
      ];
    },
  };
}

function first() {
  const pressed = button(t("sendNow"), { class: "button wide primary" });
  pressed.addEventListener("click", () => sendSoon());
  return pressed;
}

function out(n) {
  const pressed = button(n ? t("logOutAnyway") : t("logOut"), { class: `button wide ${n ? "" : "primary"}`, id: "log-out" });
  pressed.addEventListener("click", async () => {
    sendSoon();
    await logOut();
    location.hash = "#/";
  });
  return pressed;
}
