// Where one is signed in, and ending what one does not know: once one has finished setting up how one signs in (`mayEnd`).

import { ask } from "../api.js";
import { h, icon, tag } from "../dom.js";
import { deviceName } from "../settings/device.js";
import { asking } from "../dialogs.js";
import { WAYS } from "../settings/words.js";
import { count } from "../strings.js";
import { dayOf, hourMinute } from "../time.js";

export function sessionsCard(sessions, mayEnd, done) {
  const others = sessions.filter((one) => !one.current).length;
  return h("section", { class: "card", "aria-labelledby": "sessions-title" },
    h("header", {}, icon("home"), h("h2", { id: "sessions-title" }, "Where you are signed in"), h("span", { class: "count quiet" }, count(sessions.length)), h("span", { class: "grow" }),
      mayEnd && others > 0 && h("button", { class: "button", type: "button", onclick: () => endOthers(done) }, "End all others…")),
    h("ul", { class: "things" }, [...sessions].sort((a, b) => b.current - a.current || b.seen_at.localeCompare(a.seen_at)).map((one) => row(one, mayEnd, done))));
}

const row = (one, mayEnd, done) => h("li", {},
  h("div", { class: "grow" }, h("b", {}, deviceName(one.agent)), " ", one.current && tag("good", "good", "Here"),
    h("p", { class: "quiet small" }, [`signed in ${dayOf(one.began_at)}, ${hourMinute(one.began_at)}`, (WAYS[one.signed_in_by] ?? "").toLowerCase(), `last seen ${dayOf(one.seen_at)}, ${hourMinute(one.seen_at)}`, one.origin && `from ${one.origin}`].filter(Boolean).join(" · "))),
  mayEnd && !one.current && h("button", { class: "button", type: "button", "aria-label": `End the session of ${deviceName(one.agent)}, signed in ${dayOf(one.began_at)}`, onclick: () => end(one, done) }, "End…"));

const end = (one, done) => asking({
  title: `End the session of ${deviceName(one.agent)}?`, submit: "End it", danger: true, done,
  body: h("p", {}, "It is signed out at once, with every board it has open. If you do not know it, change your password too."),
  act: () => ask("DELETE", `/v1/me/sessions/${one.id}`, undefined, {}, { stay: true }),
});

const endOthers = (done) => asking({
  title: "End all other sessions?", submit: "End all others", danger: true, done,
  body: h("p", {}, "Everywhere but here you are signed out at once, with every board that is open."),
  act: () => ask("DELETE", "/v1/me/sessions", undefined, {}, { stay: true }),
});
