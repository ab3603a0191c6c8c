// What a phone said beside its check-ins, on the same line of time.

import { tag } from "../dom.js";
import { PROOFS, REPORTS, URGENCIES } from "../strings.js";
import { hourMinute, lasting, withSeconds } from "../time.js";
import { called } from "./header.js";

const LONG_MS = 120_000;

export function reportMoment(report, visit) {
  const [title, , tone] = REPORTS[report.kind] ?? [report.kind.replaceAll("_", " "), null, "information"];
  const delay = Date.parse(report.received_at) - Date.parse(report.occurred_at);
  const done = report.tasks.map(({ name, done }) => `${name.replaceAll("_", " ")}: ${done ? "done" : "not done"}`);
  const words = [withSeconds(report.occurred_at), report.care_worker && called(visit, report.care_worker), report.reason_code?.replaceAll("_", " "), ...done, report.words && `“${report.words}”`, delay > LONG_MS && `received ${hourMinute(report.received_at)}, ${lasting(delay)} later`];
  const urgency = URGENCIES[report.urgency];
  const warnings = report.proofs.filter((proof) => proof === "cut_off" || proof === "left").map((proof) => tag(PROOFS[proof][1], null, PROOFS[proof][0].toLowerCase()));
  return { at: Date.parse(report.occurred_at), tone, title, tags: [urgency && tag(urgency[1], null, `urgency: ${urgency[0].toLowerCase()}`), ...warnings], words: words.filter(Boolean).join(" · ") };
}
