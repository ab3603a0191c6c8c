// What the service holds about whoever holds this phone. Asked for when this is opened, shown, and kept nowhere.

import { Refusal, ask } from "../api.js";
import { h } from "../dom.js";
import * as frame from "../frame.js";
import { turnedAway } from "../phone.js";
import { state } from "../state.js";
import { dayOf, hourMinute, t } from "../words.js";
import { banner, button, card } from "./parts.js";

const SHOWN = 50;
const PARTS = {
  care_worker: "heldWho", accounts: "heldAccounts", phones: "heldPhones", enrolments: "heldCodes", visits: "heldVisits", events: "heldEvents", reports: "heldReports",
  amendments: "heldAmendments", phone_lines: "heldLines", wrong_pins: "heldPins", other_systems: "heldSystems", audit: "heldAudit", pattern_sheet: "heldPatterns",
};
const INSTANT = /^\d{4}-\d\d-\d\dT/;

export function held() {
  const { who } = state;
  let said = null;
  let problem = "";

  async function load() {
    problem = "";
    frame.refresh();
    try {
      const heard = await ask("GET", "/v1/app/held", { by: state.phone, unlock: who && who.unlock });
      if (state.who === who) said = heard; // else it was locked meanwhile
    } catch (error) {
      if (error instanceof Refusal && error.cutOff) await turnedAway("cut_off");
      problem = error instanceof Refusal && error.status < 500 ? error.detail : t("heldAway");
    }
    frame.refresh();
  }

  load();
  return {
    title: () => t("whatIsHeld"),
    back: "#/more",
    key: () => [said && said.at, problem],
    draw: () => [
      card(h("p", {}, t("heldWhat"))),
      problem && banner("warning", h("p", {}, problem), again(load)),
      !said && !problem && card(h("p", { class: "quiet", role: "status" }, t("heldAsking"))),
      said && saving(said),
      said && Object.entries(PARTS).map(([name, words]) => part(t(words), said.parts[name] || [])),
    ],
  };
}

function again(load) {
  const pressed = button(t("tryAgain"), { class: "button" });
  pressed.addEventListener("click", load);
  return pressed;
}

function saving(said) {
  const pressed = button(t("heldSave"), { class: "button wide", id: "held-save" });
  pressed.addEventListener("click", () => {
    const file = URL.createObjectURL(new Blob([JSON.stringify(said, null, 2)], { type: "application/json" }));
    h("a", { href: file, download: "held.json" }).click();
    setTimeout(() => URL.revokeObjectURL(file), 60000);
  });
  return pressed;
}

function part(words, rows) {
  const newest = [...rows].reverse().slice(0, SHOWN);
  return h(
    "details",
    { class: "card held" },
    h("summary", {}, words, h("span", { class: "quiet" }, ` · ${rows.length}`)),
    rows.length > newest.length && h("p", { class: "quiet small" }, t("heldNewest", { n: SHOWN })),
    newest.map((row) => h("dl", { lang: "en" }, Object.entries(row).filter(([, value]) => value !== null).map(([name, value]) => [h("dt", {}, name.replace(/_/g, " ")), h("dd", {}, shown(value))]))),
  );
}

function shown(value) {
  if (typeof value === "string" && INSTANT.test(value)) return `${dayOf(value)} ${hourMinute(value)}`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
