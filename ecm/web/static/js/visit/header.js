import { h, tag } from "../dom.js";
import { FINDINGS, FUNDERS, STATES, label } from "../strings.js";
import { boardAddress } from "../page.js";
import { dayOfDate } from "../time.js";

export function header(visit) {
  const [words, iconName, tone] = STATES[visit.state];
  const flags = visit.findings.filter((finding) => !["quiet"].includes(FINDINGS[finding.code]?.[1]));
  const seen = new Set();
  const tags = flags.filter((finding) => !seen.has(finding.code) && seen.add(finding.code)).map((finding) => {
    const [what, how] = FINDINGS[finding.code] ?? [finding.code.replaceAll("_", " "), "information"];
    return tag(how, null, what);
  });
  const about = [dayOfDate(visit.date), visit.service !== "*" && visit.service.replaceAll("_", " "), `${FUNDERS[visit.funder] ?? visit.funder}-funded`, visit.care_workers.map((ref) => called(visit, ref)).join(", "), visit.provider_name, visit.carers_required > 1 && `${visit.carers_required} workers`, visit.time_critical && "time-critical"];
  return h("header", { class: "visit-head" },
    h("p", { class: "quiet" }, h("a", { href: boardAddress() }, "Board"), ` / ${visit.ref}`),
    h("div", { class: "spread" }, h("h1", {}, visit.service_user_name, visit.place.area && h("span", { class: "quiet" }, ` · ${visit.place.area}`)), tag(tone, iconName, words), tags),
    h("p", { class: "quiet" }, about.filter(Boolean).join(" · ")),
    visit.state_reason && h("p", {}, visit.state_reason),
    sheets(visit));
}

/** To what each care worker's check-ins of the last weeks have in common. */
function sheets(visit) {
  const known = Object.entries(visit.care_worker_names);
  return known.length > 0 && h("p", { class: "small" }, `Other ${label.visits} of `, known.map(([ref, name], n) => [n > 0 && ", ", h("a", { href: `/care-workers/${encodeURIComponent(ref)}` }, name)]));
}

/** What a care worker is called; the reference when nobody of that reference is known. */
export const called = (visit, ref) => visit.care_worker_names[ref] ?? ref;
