// Whether the audit is whole: proved when somebody asks, because every link is worked out again; and what was last told
// to the outside.

import { ask } from "../api.js";
import { h, icon, tag } from "../dom.js";
import { page } from "../page.js";
import { count } from "../strings.js";
import { dayOf, hourMinute } from "../time.js";

const LONG_MS = 120_000;

/** The card, for whoever may ask. */
export function wholeness() {
  if (!page.may.has("verify_audit")) return [];
  const said = h("div", { class: "grow", role: "status" }, h("p", { class: "quiet" }, "Each entry holds on to the one before, so that none can be changed, dropped or slipped in unseen. To prove it reads them all."));
  const button = h("button", { class: "button", type: "button" }, "Prove that it is whole");
  button.addEventListener("click", async () => {
    button.disabled = true;
    said.replaceChildren(h("p", { class: "quiet" }, "Reading every entry…"));
    try {
      said.replaceChildren(...verdict(await ask("GET", "/v1/audit/verification", undefined, {}, { within: LONG_MS })));
    } catch (problem) {
      said.replaceChildren(h("p", { class: "banner critical" }, problem.message));
    }
    button.disabled = false;
  });
  return [h("section", { class: "card whole", "aria-label": "Whether it is whole" }, icon("link"), said, button)];
}

function verdict({ whole, entries, first_bad: bad, last_told_outside: told }) {
  return [
    h("p", {}, whole
      ? [tag("good", "good", "Whole"), ` All ${count(entries)} entries are as they were written.`]
      : [tag("critical", "warning", "Not whole"), ` The first bad one is ${bad.seq === null ? `entry ${count(bad.id)}, which has no place in the chain` : `at place ${count(bad.seq)}`}: ${bad.says}.`]),
    !whole && h("p", {}, "Tell whoever answers for data protection, and keep the database as it is: what is in it now is evidence."),
    h("p", { class: "quiet small" }, told ? `Last told to the outside: place ${count(told.seq)}, on ${dayOf(told.at)} at ${hourMinute(told.at)}.` : "Its end was never told to the outside: set ECM_AUDIT_HEADS_FILE or ECM_AUDIT_HEADS_URL, so that nobody with the database in their hands can rewrite it all."),
  ].filter(Boolean);
}
