// Alarms that evidence stood down lately, in a quiet strip: nobody has to wonder where a row went.

import { byId, h, icon } from "../dom.js";
import { hourMinute } from "../time.js";

const SHOWN_MS = 10 * 60_000;
const AT_ONCE = 4;

export function renderStoodDown(stoodDown, now) {
  const recent = [...stoodDown.values()]
    .filter(({ alert }) => now - Date.parse(alert.stood_down_at) < SHOWN_MS)
    .sort((a, b) => (a.alert.stood_down_at < b.alert.stood_down_at ? 1 : -1));
  const strip = byId("stood-down");
  strip.hidden = recent.length === 0;
  const signature = recent.map(({ alert }) => `${alert.id} ${alert.p}`).join();
  if (strip.dataset.signature === signature) return;
  strip.dataset.signature = signature;
  strip.replaceChildren(
    ...recent.slice(0, AT_ONCE).map(({ alert, visit }) =>
      h("div", { class: "stood" }, icon("good"), h("a", { href: `/visits/${visit.id}` }, `${visit.person} ${visit.area}`), ` stood down ${hourMinute(alert.stood_down_at)}: ${alert.stood_down_reason ?? ""}`)),
    recent.length > AT_ONCE ? h("div", { class: "stood" }, `and ${recent.length - AT_ONCE} more`) : "",
  );
}
