// Every word a page shows for a code. What an authority may rename (visit or call, person or service user) comes
// from its labels.

import { page } from "./page.js";

export const label = { visit: "visit", visits: "visits", person: "person", worker: "care worker", ...page.labels };

// state -> [word, icon, tone]
export const STATES = {
  planned: ["Planned", "planned", "quiet"],
  late: ["Late", "clock", "critical"],
  in_progress: ["In progress", "home", "good"],
  overrunning: ["Overrunning", "over", "warning"],
  completed: ["Done", "good", "quiet"],
  missed: ["Missed", "missed", "critical"],
  frustrated: ["No access", "door", "warning"],
  cancelled: ["Cancelled", "cancelled", "quiet"],
};

// what a row asks for, worst first -> [word, icon, tone]
export const NEEDS = {
  sos: ["Asks for help", "warning", "critical"],
  no_reply: ["No reply at the door", "warning", "critical"],
  concern: ["Concern", "warning", "warning"],
  hazard: ["Hazard", "warning", "warning"],
  missed: ["Missed", "missed", "critical"],
  late: ["Late", "clock", "critical"],
  late_soft: ["Late", "clock", "warning"],
  second_worker_missing: ["Second worker missing", "second", "critical"],
  no_check_out: ["No check-out", "over", "warning"],
  overrunning: ["Overrunning", "over", "warning"],
  location_outside: ["Outside the fence", "place", "warning"],
  location_uncertain: ["Uncertain place", "place", "warning"],
  leaver: ["Care worker had left", "warning", "warning"],
  short: ["Short visit", "short", "short"],
  other: ["Look at this", "warning", "warning"],
};

export const FINDINGS = {
  location_inside: ["At the home", "good"],
  location_outside: ["Outside the fence", "warning"],
  location_uncertain: ["Place uncertain", "warning"],
  location_none: ["No position", "information"],
  started_late: ["Started late", "warning"],
  started_early: ["Started early", "information"],
  short: ["Short visit", "short"],
  overran: ["Overran", "information"],
  no_check_in: ["No check-in received", "warning"],
  no_check_out: ["No check-out received", "warning"],
  unplanned: ["Not planned", "information"],
  wrong_worker: ["Another care worker", "information"],
  second_worker_missing: ["Second worker missing", "critical"],
  overlap: ["In two places at once", "warning"],
  impossible_travel: ["Travel too fast", "warning"],
  late_sync: ["Received late", "information"],
  clock_skew: ["Device clock wrong", "information"],
  manual_entry: ["Entered by hand", "information"],
  duplicate_tap: ["Tapped twice", "quiet"],
  repeated_fix: ["Same fix again", "warning"],
  cli_unknown: ["Unknown number", "information"],
  leaver: ["Care worker had left", "warning"],
};

// what a door checked for itself, where a grade's words do not say it -> [words, tone]
export const PROOFS = {
  cut_off: ["Phone cut off since", "warning"],
  left: ["Care worker had left", "warning"],
  called_back: ["Answered when called back", "good"],
  withheld: ["Number withheld", "warning"],
  tag_fresh: ["Tag checked", "good"],
  tag_stale: ["Tap kept back", "warning"],
  tag_repeated: ["Tap used before", "warning"],
  tag_forged: ["Tag does not check", "critical"],
  tag_elsewhere: [`Another ${label.person}’s tag`, "critical"],
  tag_printed: ["Printed tag", "quiet"],
  code_valid: ["Code checked", "good"],
  code_repeated: ["Code used before", "warning"],
  code_wrong: ["Wrong code", "critical"],
  partner: ["Told by another system", "information"],
  typed: ["Entered by hand", "information"],
};

// grade -> [word, icon, tone]
export const GRADES = {
  strong: ["Strong", "good", "good"],
  good: ["Good", "good", "good"],
  weak: ["Weak", "warning", "warning"],
  none: ["No proof", "missed", "quiet"],
};

// what somebody should ask about, usual, or too few to tell -> [word, icon, tone]
export const VERDICTS = {
  ask: ["Ask about this", "warning", "warning"],
  usual: ["Usual", "good", "good"],
  too_few: ["Too few to tell", "planned", "quiet"],
};

export const PATTERNS = {
  repeated_fixes: "The same position again",
  exact_durations: "Stays exactly as planned",
  in_and_out_together: "In and out sent together",
  impossible_travel: "Too fast between homes",
  manual_share: "Entered by hand",
  unlocated_share: "Nothing says where",
  printed_tag_only: "Only a printed tag says where",
  same_minute: "Always in the same minute",
};

// what a phone said beside its check-ins -> [title, icon, tone]
export const REPORTS = {
  at_the_door: ["At the door, waiting", "door", "information"],
  late_reason: ["Said why late", "clock", "information"],
  no_reply: ["No reply at the door", "door", "warning"],
  concern: [`Concern about the ${label.person}`, "warning", "warning"],
  hazard: ["Hazard in the home", "warning", "warning"],
  sos: ["Called for help", "warning", "critical"],
  note: ["Note", "note", "quiet"],
  tasks: ["Tasks", "good", "quiet"],
};

// urgency -> [words, tone]
export const URGENCIES = { now: ["Now", "critical"], today: ["Today", "warning"], routine: ["Can wait", "quiet"] };

export const METHODS = { app: "app", nfc: "tag", qr: "QR code", landline: "landline", sms: "text message", token: "token", manual: "by hand" };
export const FUNDERS = { council: "Council", nhs: "NHS", joint: "Joint", private: "Private" };

export const AMENDMENTS = {
  times: "Times added", link: "Event linked here", reject: "Event rejected", frustrated: "Care could not be given",
  cancelled: "Cancelled", note: "Note",
};

export const COUNTERS = {
  without_care: ["Without care now", "critical"],
  late: ["Late", "warning"],
  missed: ["Missed today", "critical"],
  in_progress: ["In progress", "good"],
  completed: ["Completed", "quiet"],
  short: [`Short ${label.visits}`, "short"],
  to_come: ["To come", "quiet"],
};

export function findingWords(finding) {
  const [words] = FINDINGS[finding.code] ?? [finding.code.replaceAll("_", " ")];
  const { measure, limit, unit = "", detail = "" } = finding;
  const number = (n) => `${Math.round(n * 10) / 10} ${unit}`.trim();
  const measured = measure == null ? "" : number(measure) + (limit == null ? "" : `, limit ${number(limit)}`);
  return [words, [measured, detail].filter(Boolean).join(" · ")];
}

/** "location_outside: 400 m from the door" as people say it: a code comes first, where there is one. */
export function exceptionWords(text) {
  return text.replace(/(?<=^|; )[a-z_]+(?=[:,;]|$)/g, (code) => FINDINGS[code]?.[0] ?? STATES[code]?.[0] ?? code.replaceAll("_", " "));
}

export const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);
export const count = (n) => n.toLocaleString("en-GB");
export const many = (n, one, several = `${one}s`) => `${count(n)} ${n === 1 ? one : several}`;
