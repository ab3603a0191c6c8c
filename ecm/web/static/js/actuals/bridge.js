// From planned to payable as a picture: the first and last bar are sums, those between say which provider's visits
// made the difference.

import { svg } from "../dom.js";

const [WIDTH, HEIGHT, BASE, TOP] = [720, 300, 250, 40];
const STEPS_AT_MOST = 5;
const LETTERS = 12;

export function bridge(totals) {
  const planned = sum(totals, "planned_pence");
  const payable = sum(totals, "amount_pence");
  const bars = [{ name: "Planned", from: 0, to: planned, kind: "planned" }];
  let at = planned;
  for (const [name, change] of differences(totals)) {
    bars.push({ name, from: at, to: at + change, kind: change < 0 ? "less" : "more", change });
    at += change;
  }
  bars.push({ name: "Payable", from: 0, to: payable, kind: "payable" });
  const most = Math.max(1, ...bars.flatMap(({ from, to }) => [from, to]));
  const y = (pence) => BASE - (pence / most) * (BASE - TOP);
  const wide = WIDTH / bars.length;
  const words = bars.map(({ name, to, change }) => `${name} ${short(change ?? to)}`).join(", ");
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "bridge", role: "img", "aria-label": words },
    svg("line", { x1: 0, x2: WIDTH, y1: BASE, y2: BASE, class: "base" }),
    bars.map(({ name, from, to, kind, change }, n) => {
      const x = n * wide + wide * 0.17;
      const top = Math.min(y(from), y(to));
      return [
        svg("rect", { x, y: top, width: wide * 0.66, height: Math.max(2, Math.abs(y(from) - y(to))), class: kind }),
        svg("text", { x: n * wide + wide / 2, y: top - 8, class: "sum" }, short(change ?? to)),
        twoLines(name).map((words, line) => svg("text", { x: n * wide + wide / 2, y: BASE + 20 + 16 * line }, words)),
      ];
    }));
}

function differences(totals) {
  const by = new Map();
  for (const total of totals) by.set(total.provider_name, (by.get(total.provider_name) ?? 0) + total.amount_pence - total.planned_pence);
  const sorted = [...by].filter(([, change]) => change !== 0).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const rest = sorted.slice(STEPS_AT_MOST).reduce((all, [, change]) => all + change, 0);
  return [...sorted.slice(0, STEPS_AT_MOST), ...(rest ? [["All others", rest]] : [])];
}

/** A name under its bar: by words on two lines, so that neighbours do not run into one another. */
function twoLines(name) {
  const fits = (words) => (words.length > LETTERS ? `${words.slice(0, LETTERS - 1)}…` : words);
  if (name.length <= LETTERS) return [name];
  const at = name.lastIndexOf(" ", LETTERS);
  return at > 0 ? [name.slice(0, at), fits(name.slice(at + 1))] : [fits(name)];
}

const sum = (totals, name) => totals.reduce((all, total) => all + total[name], 0);

function short(pence) {
  const sign = pence < 0 ? "−" : "";
  const amount = Math.abs(pence) / 100;
  if (amount >= 1_000_000) return `${sign}${(amount / 1_000_000).toFixed(3)} m`;
  if (amount >= 10_000) return `${sign}${(amount / 1_000).toFixed(1)} k`;
  return `${sign}${amount.toFixed(2)}`;
}
