// One check-in or check-out as an officer reads it: how it came, what its door checked, and what that proves of who,
// where and when, each by itself.

import { h, tag } from "../dom.js";
import { FINDINGS, GRADES, METHODS, PROOFS, findingWords } from "../strings.js";
import { hourMinute, lasting, withSeconds } from "../time.js";
import { called } from "./header.js";

const LONG_MS = 120_000;

// The first that fits says how it came: [fits, words].
const WAYS = [
  [(e) => has(e, "typed"), (e) => `entered by hand${e.entered_by ? ` by ${e.entered_by}` : ""}`],
  [(e) => has(e, "partner"), (e) => `another system’s ${METHODS[e.method] ?? e.method}`],
  [(e) => has(e, "rang_own_number"), () => "an unanswered ring"],
  [(e) => e.method === "landline" && has(e, "withheld"), () => "a telephone with its number withheld"],
  [(e) => e.method === "landline", (e) => `telephone${e.cli ? ` ${asDialled(e.cli)}` : ""}`],
  [(e) => e.method === "sms", (e) => `text message${e.cli ? ` from ${asDialled(e.cli)}` : ""}`],
  [(e) => e.method === "nfc", () => "the tag in the home"],
  [(e) => e.method === "qr", () => "the printed code in the home"],
  [(e) => e.method === "token", () => "the code card in the home"],
  [() => true, (e) => METHODS[e.method] ?? e.method],
];

/** "+441632960001" as people here dial it. */
const asDialled = (number) => number.replace(/^\+44/, "0");

export function eventMoment(event, visit) {
  const about = visit.findings.filter((finding) => finding.event_id === event.id);
  const delay = Date.parse(event.received_at) - Date.parse(event.occurred_at);
  const kind = event.kind === "check_in" ? "Check-in" : "Check-out";
  const words = [
    withSeconds(event.occurred_at), event.care_worker && called(visit, event.care_worker), ...about.map((finding) => findingWords(finding)[1]),
    delay > LONG_MS ? `received ${hourMinute(event.received_at)}, ${lasting(delay)} later` : `received after ${Math.max(0, delay / 1000).toFixed(1)} s`,
    event.reason_code?.replaceAll("_", " "), event.note && `“${event.note}”`, event.status !== "matched" && `${event.status}: ${event.reason}`];
  return {
    at: Date.parse(event.occurred_at),
    tone: event.status === "rejected" ? "quiet" : TONE_OF[best(event)],
    title: `${kind}, ${WAYS.find(([fits]) => fits(event))[1](event)}`,
    tags: [...checked(event), ...about.filter((finding) => finding.code !== "location_none" || event.grades.place.grade === "none").map((finding) => tag(FINDINGS[finding.code]?.[1] ?? "information", null, findingWords(finding)[0].toLowerCase()))],
    words: words.filter(Boolean).join(" · "),
    more: gradesList(event.grades),
  };
}

const TONE_OF = { strong: "good", good: "good", weak: "warning", none: "information" };

/** The best of what says where: the ring on the line of time. */
const best = (event) => event.grades.place.grade;

const has = (event, proof) => event.proofs.includes(proof);

function checked(event) {
  return event.proofs.filter((proof) => PROOFS[proof]).map((proof) => {
    const [words, tone] = PROOFS[proof];
    return tag(tone, null, words.toLowerCase());
  });
}

function gradesList({ person, place, time }) {
  return h("dl", { class: "grades", "aria-label": "What proves it" }, [["Who", person], ["Where", place], ["When", time]].map(([name, { grade, words }]) => {
    const [word, iconName, tone] = GRADES[grade];
    return h("div", {}, h("dt", {}, name), h("dd", {}, tag(tone, iconName, word), h("span", {}, words)));
  }));
}
