// Everything that is not today's work: language, colours, what this phone keeps, and the way out.

import { h, icon } from "../dom.js";
import * as frame from "../frame.js";
import { lock } from "../session.js";
import { state } from "../state.js";
import { APP_VERSION } from "../version.js";
import { LANGUAGES, choose, languageNow, t } from "../words.js";
import { button, card, link, telephone } from "./parts.js";

const THEMES = [["auto", "themeAuto"], ["light", "themeLight"], ["dark", "themeDark"]];

export function more() {
  return {
    title: () => t("tabMore"),
    back: "#/",
    key: () => [state.who && state.who.care_worker, Boolean(state.phone)],
    draw: () => [
      state.who && card(h("p", { class: "quiet" }, t("heldBy")), h("p", { class: "person" }, state.who.name || state.who.care_worker || "?")),
      h(
        "div",
        { class: "links" },
        link(t("whatIsKept"), "#/kept", "kept"),
        state.phone && state.who && link(t("whatIsHeld"), "#/held", "note"),
        state.who && link(t("reportSomething"), "#/report", "note"),
        state.who && link(t("unplannedVisit"), "#/unplanned", "plus"),
        telephone(state.day && state.day.desk_phone, t("ringOffice")),
      ),
      card(languages(), themes()),
      h(
        "div",
        { class: "links" },
        state.phone && state.phone.shared && state.who && locking(),
        state.phone && link(t("logOut"), "#/log-out", "door"),
      ),
      h("p", { class: "quiet small" }, t("edition", { version: APP_VERSION })),
    ],
  };
}

function languages() {
  const chosen = h("select", { id: "language" }, Object.entries(LANGUAGES).map(([tag, name]) => h("option", { value: tag, lang: tag, selected: tag === languageNow() }, name)));
  chosen.addEventListener("change", () => {
    choose(chosen.value);
    frame.refresh();
    const again = document.getElementById("language");
    if (again) again.focus();
  });
  return h("div", { class: "form" }, h("label", { for: "language" }, t("language")), chosen);
}

function themes() {
  const now = localStorage.getItem("ecm theme") || "auto";
  const chosen = h("select", { id: "theme" }, THEMES.map(([value, words]) => h("option", { value, selected: value === now }, t(words))));
  chosen.addEventListener("change", () => {
    localStorage.setItem("ecm theme", chosen.value);
    if (chosen.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen.value;
  });
  return h("div", { class: "form" }, h("label", { for: "theme" }, t("colours")), chosen);
}

function locking() {
  const pressed = button([icon("lock"), h("span", {}, t("lock"))], { class: "button wide" });
  pressed.addEventListener("click", () => {
    lock();
    location.hash = "#/";
  });
  return pressed;
}
