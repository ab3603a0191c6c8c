// The card of one visit: where the phone thinks it is, and the one big button.

import { checkIn, checkOut, tell } from "../actions.js";
import * as clock from "../clock.js";
import { h, icon, setText } from "../dom.js";
import { counting, hourMinute, minutesOf, t } from "../words.js";
import { addressOf, button, go, link, once, placeSentence, when, whole } from "./parts.js";

// Leaving before this share of the planned time asks why. Nothing is refused.
const EARLY_SHARE = 0.8;

/** {element, alive}: `alive` moves the clock and the position sentence. `named`: with the person's name, on a list. */
export function stay(visit, named) {
  const parts = { toDo, here, done, noCare: done, cancelled };
  const of = { to_do: "toDo", here: "here", done: "done", no_care: "noCare", cancelled: "cancelled" }[visit.stage];
  return parts[of](visit, named);
}

function toDo(visit, named) {
  const place = h("p", { class: "place" }, icon("place"), h("span", {}));
  const words = h("span", { class: "what" });
  const time = h("span", { class: "when" });
  const pressed = button([words, time], { class: "button big good", id: "check-in", "data-focus": "check-in" });
  pressed.addEventListener("click", () => once(pressed, () => checkIn(visit), t("saidIn", { time: hourMinute(clock.now()) })).then((done) => done && go(addressOf(visit, "visit"))));
  const element = h(
    "section",
    { class: "card" },
    head(visit, named, named ? `${t("next")} · ` : ""),
    place,
    pressed,
    h("div", { class: "pair" }, doorOf(visit), link(t("noReply"), addressOf(visit, "no-reply"), "")),
  );
  return { element, alive };

  function alive() {
    const sentence = placeSentence(visit);
    place.className = `place ${sentence.tone}`;
    setText(place.lastChild, sentence.words);
    setText(words, sentence.sure ? t("checkIn") : t("checkInAnyway"));
    setText(time, hourMinute(clock.now()));
  }
}

function doorOf(visit) {
  if (visit.at_door_at) return h("p", { class: "note" }, t("atDoorSince", { time: hourMinute(visit.at_door_at) }));
  const pressed = button(t("atTheDoor"), { id: "at-the-door" });
  pressed.addEventListener("click", () => once(pressed, () => tell("at_the_door", visit), t("saidAtDoor")));
  return pressed;
}

function here(visit, named) {
  const time = h("p", { class: "counting", role: "timer", "aria-label": t("since", { time: hourMinute(visit.came_at) }) });
  const place = h("p", { class: "place" }, icon("place"), h("span", {}));
  const hint = h("span", { class: "when" });
  const pressed = button([h("span", { class: "what" }, t("checkOut")), hint], { class: "button big primary", id: "check-out", "data-focus": "check-out" });
  pressed.addEventListener("click", () =>
    isEarly(visit)
      ? go(addressOf(visit, "leave"))
      : once(pressed, () => checkOut(visit), t("saidOut", { time: hourMinute(clock.now()) })).then((done) => done && go("#/")),
  );
  const planned = visit.planned_end && t("ofMinutes", { n: minutesOf(visit), end: hourMinute(visit.planned_end) });
  const element = h(
    "section",
    { class: "card" },
    named && head(visit, named, ""),
    h("p", { class: "quiet" }, t("checkedInAt", { time: hourMinute(visit.came_at) })),
    time,
    planned && h("p", { class: "quiet" }, planned),
    place,
    pressed,
  );
  return { element, alive };

  function alive() {
    setText(time, counting(visit.came_at));
    const sentence = placeSentence(visit);
    place.className = `place ${sentence.tone}`;
    setText(place.lastChild, sentence.words);
    setText(hint, isEarly(visit) ? t("asksWhy", { time: hourMinute(fullFrom(visit)) }) : hourMinute(clock.now()));
  }
}

function done(visit, named) {
  const key = visit.stage === "no_care" ? "noCareGiven" : "doneFromTo";
  const from = visit.came_at ? hourMinute(visit.came_at) : "?";
  const again = button(t("checkInAgain"), { class: "button wide", id: "check-in-again" });
  again.addEventListener("click", () => once(again, () => checkIn(visit), t("saidIn", { time: hourMinute(clock.now()) })));
  return still(
    h(
      "section",
      { class: "card" },
      head(visit, named, ""),
      h("p", { class: `place ${visit.stage === "no_care" ? "warning" : "good"}` }, icon(visit.stage === "no_care" ? "door" : "good"), h("span", {}, t(key, { from, to: hourMinute(visit.left_at) }))),
      visit.ref && again,
    ),
  );
}

function cancelled(visit, named) {
  const anyway = button(t("checkInAnyway"), { class: "button wide" });
  anyway.addEventListener("click", () => once(anyway, () => checkIn(visit), t("saidIn", { time: hourMinute(clock.now()) })));
  return still(h("section", { class: "card" }, head(visit, named, ""), h("p", { class: "place quiet" }, h("span", {}, t("cancelled"))), anyway));
}

function head(visit, named, before) {
  const street = [visit.address, visit.postcode && whole(visit.postcode)].filter(Boolean).join(", ");
  return [
    when(visit, before),
    named && h("h2", { class: "person" }, h("a", { href: addressOf(visit, "visit") }, visit.name || t("unplannedVisit"))),
    street && h("p", { class: "address" }, street),
  ];
}

function isEarly(visit) {
  return Boolean(visit.planned_start) && clock.now() < fullFrom(visit);
}

/** When the planned time is, by and large, used. */
function fullFrom(visit) {
  const planned_ms = Date.parse(visit.planned_end) - Date.parse(visit.planned_start);
  return Date.parse(visit.came_at) + EARLY_SHARE * planned_ms;
}

const still = (element) => ({ element, alive() {} });
