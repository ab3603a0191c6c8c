// What happened, and how we know: plan, evidence, corrections and alarms on one line of time, originals always there.

import { h, icon, tag } from "../dom.js";
import { AMENDMENTS, findingWords, label } from "../strings.js";
import { hourMinute, lasting, withSeconds } from "../time.js";
import { eventMoment } from "./evidence.js";
import { called } from "./header.js";
import { reportMoment } from "./reports.js";

/** `reports`: null when they could not be read. `enter`: opens the form for an entry by hand; none for who may not. */
export function timelineCard(visit, reports, enter) {
  const moments = [...ofPlan(visit), ...visit.evidence.map((event) => eventMoment(event, visit)), ...(reports ?? []).map((report) => reportMoment(report, visit)), ...ofFindings(visit), ...visit.amendments.map((amendment) => ofAmendment(amendment, visit)), ...visit.transitions.filter((t) => t.kind !== "change").map(ofDeadline), ...visit.alerts.flatMap(ofAlert)];
  moments.sort((a, b) => a.at - b.at);
  return h("section", { class: "card", "aria-labelledby": "line-title" },
    h("header", {}, h("h2", { id: "line-title" }, "What happened, and how we know"), h("span", { class: "grow" }), enter && h("button", { class: "button", type: "button", onclick: enter }, icon("edit"), "Enter by hand")),
    !reports && h("p", { class: "banner warning inside", role: "status" }, "What the phones reported beside this could not be read just now; it is kept and will be shown again."),
    h("ol", { class: "body timeline" }, moments.map(({ at, tone, title, tags = [], words, more }) => h("li", { class: tone },
      h("time", {}, hourMinute(at)), h("div", {}, h("div", { class: "spread" }, h("b", {}, title), tags), words && h("p", { class: "quiet" }, words), more)))));
}

function ofPlan(visit) {
  if (!visit.planned.start) return [];
  return [{ at: Date.parse(visit.planned.start), tone: "plan", title: "Planned start", words: `${label.visit} of ${lasting(Date.parse(visit.planned.end) - Date.parse(visit.planned.start))}, ${visit.care_workers.map((ref) => called(visit, ref)).join(", ") || "nobody rostered"}` }];
}

function ofFindings(visit) {
  const end = visit.actual.end ?? visit.actual.start ?? visit.planned.end;
  return visit.findings.filter((finding) => !finding.event_id).map((finding) => {
    const [title, words] = findingWords(finding);
    return { at: Date.parse(end), tone: "warning", title: `Finding: ${title.toLowerCase()}`, words };
  });
}

function ofAmendment(amendment, visit) {
  const times = [amendment.check_in_at && `in ${withSeconds(amendment.check_in_at)}`, amendment.check_out_at && `out ${withSeconds(amendment.check_out_at)}`].filter(Boolean).join(", ");
  const words = [times, amendment.care_worker && called(visit, amendment.care_worker), amendment.reason_code?.replaceAll("_", " "), amendment.action_taken?.replaceAll("_", " "), amendment.note && `“${amendment.note}”`];
  return { at: Date.parse(amendment.made_at), tone: "short", title: `${AMENDMENTS[amendment.kind] ?? amendment.kind} by ${amendment.made_by}`, words: words.filter(Boolean).join(" · ") };
}

function ofDeadline(transition) {
  return { at: Date.parse(transition.at), tone: "critical", title: `${transition.kind.replaceAll("_", " ")}`.replace(/^./, (c) => c.toUpperCase()), words: transition.reason };
}

function ofAlert(alert) {
  const moments = [{ at: Date.parse(alert.raised_at), tone: "critical", title: "Alarm raised", tags: [tag(alert.severity, null, alert.severity)], words: alert.reason }];
  if (alert.acknowledged_at) moments.push({ at: Date.parse(alert.acknowledged_at), tone: "information", title: `Taken on by ${alert.owner ?? "somebody"}` });
  if (alert.stood_down_at) moments.push({ at: Date.parse(alert.stood_down_at), tone: "good", title: "Alarm stood down", words: alert.stood_down_reason });
  return moments;
}
