// Help for the care worker. Held for two seconds, so that a pocket does not send it; or pressed and confirmed.

import { tell } from "../actions.js";
import { nextVisit } from "../day.js";
import { h, icon } from "../dom.js";
import * as frame from "../frame.js";
import { state } from "../state.js";
import { hourMinute, t } from "../words.js";
import { banner, button, card, emergency, hasFix, once, telephone } from "./parts.js";

const HOLD_MS = 2000;

export function sos() {
  const opened_at = Date.now();
  let confirming = false;
  return {
    title: () => t("sosTitle"),
    back: "#/",
    key: () => [confirming, mineSince(opened_at), state.phone && state.phone.device_id, hasFix()],
    draw() {
      const sent = mineSince(opened_at);
      return [
        banner("critical", h("p", {}, t("sosDanger")), emergency()),
        state.phone && state.trouble !== "cut_off"
          ? sent
            ? said(sent)
            : asking()
          : card(h("p", {}, t("sosNotHere"))),
        telephone(state.day && state.day.desk_phone, t("ringOffice")),
      ];
    },
  };

  function asking() {
    const held = button([icon("sos"), h("span", { class: "what" }, t("sosHold"))], { class: "button big critical", id: "sos-hold" });
    holdable(held, () => send(held));
    held.addEventListener("click", () => {
      confirming = true;
      frame.refresh();
      const yes = document.getElementById("sos-yes");
      if (yes) yes.focus();
    });
    return card(held, confirming && confirmation(), h("p", { class: "quiet" }, t(hasFix() ? "sosWithPlace" : "sosNoPlace")));
  }

  function confirmation() {
    const yes = button(t("sosYes"), { class: "button wide critical", id: "sos-yes", "data-focus": "sos-yes" });
    const no = button(t("sosNo"), { class: "button wide" });
    yes.addEventListener("click", () => send(yes));
    no.addEventListener("click", () => {
      confirming = false;
      frame.refresh();
    });
    return h("div", { class: "stack", role: "group", "aria-label": t("sosSure") }, h("p", {}, h("strong", {}, t("sosSure"))), yes, no);
  }

  function send(pressed) {
    const here = state.who ? nextVisit() : null;
    const about = here && here.stage === "here" ? here : null;
    return once(pressed, () => tell("sos", about, { urgency: "now" }), t("saidSos"));
  }
}

/** `{status, received_at, detail}` of the call for help that was made on this screen. */
function mineSince(opened_at) {
  const found = state.records.filter((record) => record.said.kind === "sos" && record.saved_at >= opened_at).pop();
  return found && { status: found.status, received_at: found.received_at, detail: found.detail };
}

function said(sent) {
  const done = sent.status === "sent" && !sent.detail; // a receipt that has something to say of it: nobody could be told
  const words = done ? t("sosSent", { time: hourMinute(sent.received_at) }) : t(sent.status === "sent" ? "sosNobody" : "sosSaved");
  return card(h("p", { class: `place ${done ? "good" : "critical"}`, role: "status" }, icon(done ? "good" : sent.status === "sent" ? "warning" : "kept"), h("span", {}, words)));
}

function holdable(element, done) {
  let timer = null;
  const letGo = () => {
    clearTimeout(timer);
    element.classList.remove("held");
  };
  element.addEventListener("pointerdown", () => {
    element.classList.add("held");
    timer = setTimeout(() => {
      letGo();
      done();
    }, HOLD_MS);
  });
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) element.addEventListener(end, letGo);
  element.addEventListener("contextmenu", (event) => event.preventDefault());
}
