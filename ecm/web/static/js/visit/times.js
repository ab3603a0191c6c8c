// Five times side by side, on one scale: bought, scheduled, evidenced, corrected, paid.

import { h } from "../dom.js";
import { lasting, span, withSeconds } from "../time.js";

const MINUTE = 60_000;

export function timesCard(visit) {
  const planned = pair(visit.planned.start, visit.planned.end);
  const captured = visit.attendances.filter((a) => !a.amended && (a.check_in_at || a.check_out_at));
  const amended = visit.attendances.filter((a) => a.amended);
  const begins = planned?.[0] ?? pair(visit.actual.start, visit.actual.start)?.[0];
  const commissioned = visit.commissioned_minutes && begins ? [begins, begins + visit.commissioned_minutes * MINUTE] : null;
  const paidFrom = Date.parse(visit.actual.start ?? visit.planned.start);
  const worked = visit.working?.minutes ?? 0;
  const payable = worked > 0 ? [paidFrom, paidFrom + worked * MINUTE] : null;
  const rows = [
    ["Commissioned", "commissioned", commissioned ? [[commissioned, `${visit.commissioned_minutes} min`]] : [], "not stated"],
    ["Planned", "planned", planned ? [[planned, span(visit.planned.start, visit.planned.end)]] : [], "nobody planned it"],
    ["Captured", "captured", captured.map(bar), "nothing received"],
    ["Amended", "amended", amended.map(bar), "none"],
    ["Payable", "payable", payable ? [[payable, `${worked} min`]] : [], visit.working ? "0 min" : "not worked out yet"],
  ];
  const every = rows.flatMap(([, , bars]) => bars.flatMap(([at]) => at));
  const [from, to] = scale(every, begins);
  return h("section", { class: "card", "aria-labelledby": "times-title" },
    h("header", {}, h("h2", { id: "times-title" }, "Five times, side by side")),
    h("div", { class: "body times" }, rows.map(([name, kind, bars, none]) => h("div", { class: "time-row" },
      h("div", { class: "time-name" }, name, h("b", { class: "time-said" }, bars.map(([, words]) => ` ${words}`))),
      h("div", { class: "time-track" }, bars.length ? bars.map(([at, words]) => block(kind, at, words, from, to)) : h("span", { class: "quiet small" }, none))))));
}

function bar(attendance) {
  const start = Date.parse(attendance.check_in_at ?? attendance.check_out_at);
  const end = attendance.check_out_at ? Date.parse(attendance.check_out_at) : start + 5 * MINUTE;
  const words = `${withSeconds(attendance.check_in_at) || "?"}–${withSeconds(attendance.check_out_at) || "…"}`;
  return [[start, end], attendance.check_in_at && attendance.check_out_at ? `${words} · ${lasting(end - start)}` : words];
}

function block(kind, [start, end], words, from, to) {
  const element = h("div", { class: `time-bar ${kind}`, title: words }, h("span", {}, words));
  element.style.left = `${(100 * (start - from)) / (to - from)}%`;
  element.style.width = `${Math.max(1.5, (100 * (end - start)) / (to - from))}%`;
  if ((end - start) / (to - from) < 0.4) element.classList.add("outside");
  if ((start - from) / (to - from) > 0.5) element.classList.add("to-the-left");
  return element;
}

function scale(every, begins) {
  const low = Math.min(...every, begins ?? Infinity);
  const high = Math.max(...every, (begins ?? 0) + 30 * MINUTE);
  const margin = Math.max(10 * MINUTE, (high - low) * 0.15);
  return [low - margin, high + margin];
}

const pair = (start, end) => (start && end ? [Date.parse(start), Date.parse(end)] : null);
