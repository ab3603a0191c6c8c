// Where: the fence and the fixes, to scale and without a map. A fix whose direction is unknown (the home's place, or
// the whole fix, is not for everybody) stands on a line at its distance from the door.

import { h, svg } from "../dom.js";
import { METHODS } from "../strings.js";
import { hourMinute } from "../time.js";

const SIZE = 360;
const PLACED = new Set(["location_inside", "location_outside", "location_uncertain"]);

export function whereCard(visit) {
  const points = pointsOf(visit);
  const fence = visit.place.fence_m ?? Math.max(...visit.findings.filter((f) => PLACED.has(f.code)).map((f) => f.limit ?? 0), 0);
  const body = points.length && fence ? picture(points, fence) : h("p", { class: "quiet" }, visit.evidence.length ? "No fix came with this evidence." : "Nothing received yet, so nowhere to show.");
  const address = [visit.place.address, visit.place.postcode].filter(Boolean).join(", ");
  return h("section", { class: "card", "aria-labelledby": "where-title" }, h("header", {}, h("h2", { id: "where-title" }, "Where"), h("span", { class: "grow" }), h("span", { class: "quiet" }, address || visit.place.area || "")), h("div", { class: "body where" }, body));
}

function pointsOf(visit) {
  const exact = visit.place.lat != null;
  return visit.evidence.flatMap((event, n) => {
    const finding = visit.findings.find((f) => f.event_id === event.id && PLACED.has(f.code));
    const gone = event.fix_reduced_to; // kept as its distance alone
    if (!(event.fix || gone) || (finding?.measure == null && !(exact && event.fix))) return [];
    const away = exact && event.fix && !event.fix.reduced ? offset(visit.place, event.fix) : { x: (finding?.measure ?? 0) * (n % 2 ? -1 : 1), y: 0, unknown: true };
    return [{ ...away, accuracy: event.fix?.accuracy_m ?? 0, distance: finding?.measure ?? Math.hypot(away.x, away.y), kind: event.kind, words: `${event.kind === "check_in" ? "in" : "out"} ${hourMinute(event.occurred_at)}, ${METHODS[event.method] ?? event.method}` }];
  });
}

function picture(points, fence) {
  const reach = Math.max(fence * 1.3, ...points.map((p) => Math.hypot(p.x, p.y) + p.accuracy)) * 1.08;
  const middle = SIZE / 2;
  const px = (metres) => (metres / reach) * middle;
  const told = points.map((p) => `${p.words}: ${Math.round(p.distance)} m from the door, ± ${Math.round(p.accuracy)} m`).join("; ");
  return [
    svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "where-picture", role: "img", "aria-label": `Fence of ${Math.round(fence)} m. ${told}` },
      svg("circle", { cx: middle, cy: middle, r: px(fence), class: "fence" }),
      svg("text", { x: middle, y: Math.max(14, middle - px(fence) - 8), class: "fence-words" }, `fence ${Math.round(fence)} m`),
      svg("rect", { x: middle - 9, y: middle - 9, width: 18, height: 18, rx: 3, class: "home" }),
      points.map((p) => [
        svg("circle", { cx: middle + px(p.x), cy: middle - px(p.y), r: Math.max(3, px(p.accuracy)), class: `accuracy ${p.kind}` }),
        svg("circle", { cx: middle + px(p.x), cy: middle - px(p.y), r: 5, class: `fix ${p.kind}` }),
      ])),
    h("ul", { class: "where-words" }, points.map((p) => h("li", { class: p.kind }, `${p.words}: ${Math.round(p.distance)} m from the door ± ${Math.round(p.accuracy)} m`))),
    points.some((p) => p.unknown) && h("p", { class: "quiet small" }, "Drawn at their distance from the door; the direction is left out."),
  ];
}

function offset(place, fix) {
  const metresPerDegree = 111_320;
  return { x: (fix.lon - place.lon) * metresPerDegree * Math.cos((place.lat * Math.PI) / 180), y: (fix.lat - place.lat) * metresPerDegree };
}
