// Which visits need someone now, and how badly. Pure: a visit and its alerts in, one need or nothing out.

import { NEEDS } from "../strings.js";

const TIER = { A: 0, B: 1, C: 2 };
const TONE = { critical: 0, warning: 1, short: 2 };
const UNFINISHED = new Set(["late", "missed", "in_progress", "overrunning"]);
const SAID = ["sos", "no_reply", "concern", "hazard"]; // by a phone, worst first
const OF_ALERT = new Set([...SAID, "no_check_out", "location_outside", "location_uncertain", "leaver", "short", "second_worker_missing"]);

/** {visit, kind, tone, since, reason, alerts, open, owner} or null. */
export function needOf(visit, alerts) {
  const active = alerts.filter((alert) => alert.state !== "stood_down");
  const kind = kindOf(visit, active);
  if (!kind) return null;
  const open = active.filter((alert) => alert.state === "open");
  const owned = active.find((alert) => alert.state === "acknowledged");
  const settled = visit.state === "completed" || visit.state === "frustrated" || visit.state === "cancelled";
  if (settled && open.length === 0) return null;
  return {
    visit, kind, open,
    tone: SAID.includes(kind) && active.some((a) => a.kind === kind && a.severity === "critical") ? "critical" : NEEDS[kind][2],
    since: sinceOf(visit, kind, active),
    reason: reasonOf(visit, kind, active),
    owner: open.length ? null : (owned?.owner ?? null),
    owned: active.filter((alert) => alert.state === "acknowledged"),
  };
}

export function worstFirst(a, b) {
  return (
    (b.kind === "sos") - (a.kind === "sos") || // whoever calls for help is waiting for us
    TONE[a.tone] - TONE[b.tone] ||
    TIER[a.visit.tier] - TIER[b.visit.tier] ||
    (a.since ?? Infinity) - (b.since ?? Infinity) ||
    a.visit.id - b.visit.id
  );
}

/** One worker running late is one row: {key, needs} for each, the worst need first. */
export function grouped(needs) {
  const late = new Map();
  for (const need of needs) {
    const worker = need.visit.workers[0]?.ref;
    if (!worker || need.visit.double || !(need.kind === "late" || need.kind === "late_soft")) continue;
    const key = `${worker} ${need.owner ?? ""}`;
    if (late.has(key)) late.get(key).push(need);
    else late.set(key, [need]);
  }
  const inGroup = new Map();
  for (const [key, members] of late) if (members.length > 1) for (const need of members) inGroup.set(need, key);
  const rows = new Map();
  for (const need of needs) {
    const key = inGroup.has(need) ? `worker ${inGroup.get(need)}` : `visit ${need.visit.id}`;
    if (rows.has(key)) rows.get(key).needs.push(need);
    else rows.set(key, { key, needs: [need] });
  }
  return [...rows.values()];
}

function kindOf(visit, active) {
  const said = SAID.find((kind) => active.some((a) => a.kind === kind && a.state === "open" && a.severity !== "information"));
  if (said === "sos" || (said && visit.state !== "missed" && visit.state !== "late")) return said;
  if (visit.state === "missed") return "missed";
  if (visit.state === "late") return visit.tier === "A" || visit.time_critical || visit.double ? "late" : "late_soft";
  if (UNFINISHED.has(visit.state) && has(visit, "second_worker_missing")) return "second_worker_missing";
  if (visit.state === "overrunning") return has(visit, "no_check_out") || active.some((a) => a.kind === "no_check_out") ? "no_check_out" : "overrunning";
  const alert = active.find((a) => a.severity === "critical") ?? active.find((a) => a.severity === "warning") ?? active.find((a) => a.state === "open");
  if (!alert) return null;
  return OF_ALERT.has(alert.kind) ? alert.kind : "other";
}

function sinceOf(visit, kind, active) {
  if (SAID.includes(kind)) return Date.parse(active.find((a) => a.kind === kind).raised_for);
  if (kind === "missed" || kind === "late" || kind === "late_soft" || kind === "second_worker_missing") return Date.parse(visit.planned_start);
  if (kind === "overrunning" || kind === "no_check_out") return visit.planned_end ? Date.parse(visit.planned_end) : null;
  return null;
}

function reasonOf(visit, kind, active) {
  const finding = visit.findings.find((f) => f.code === kind);
  const alert = active.find((a) => a.kind === kind);
  if (SAID.includes(kind) && alert) return alert.reason;
  return (["missed", "late", "late_soft", "overrunning"].includes(kind) ? visit.reason : "") || finding?.text || alert?.reason || active[0]?.reason || visit.reason;
}

const has = (visit, code) => visit.findings.some((finding) => finding.code === code);
