// Signing in at one's council too: joined by showing there that it is oneself, and parted from here.

import { ask } from "../api.js";
import { h, icon, tag } from "../dom.js";
import { asking } from "../dialogs.js";
import { provingAgain } from "../step-up.js";
import { dayOf } from "../time.js";

/** The card; nothing where the authority signs nobody in at its council and nobody is joined. */
export function councilCard({ offered, joined_at: joined }, done) {
  if (!offered && !joined) return null;
  return h("section", { class: "card", "aria-labelledby": "council-title" },
    h("header", {}, icon("home"), h("h2", { id: "council-title" }, "Your council’s own sign-in"), joined ? tag("good", "good", "Joined") : tag("quiet", "planned", "Not joined"), h("span", { class: "grow" }),
      h("button", { class: "button", type: "button", onclick: () => (joined ? part(done) : join()) }, joined ? "Part from it…" : "Join it…")),
    h("p", { class: "body" }, joined ? `You can sign in there since ${dayOf(joined)}. What you may do here then follows your groups at the council.` : "You can sign in with the account you have at the council. You show there once that it is you."));
}

const join = () => asking({
  title: "Join your council’s own sign-in?", submit: "Go there",
  body: h("p", {}, "You are sent there, sign in, and come back here. From then on what you may do here follows your groups there."),
  act: async () => {
    const { url } = await provingAgain(() => ask("POST", "/v1/me/council", undefined, {}, { stay: true }));
    location.assign(url);
  },
});

const part = (done) => asking({
  title: "Part from your council’s own sign-in?", submit: "Part from it", danger: true, done,
  body: h("p", {}, "You sign in there no more. Your other ways in stay as they are."),
  act: () => provingAgain(() => ask("DELETE", "/v1/me/council", undefined, {}, { stay: true })),
});
