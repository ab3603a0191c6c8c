// What is held about whoever is signed in: counted here when they ask, and as files to keep. Each asking is written down.

import { ask } from "../api.js";
import { h, icon } from "../dom.js";
import { plain } from "../settings/words.js";
import { count } from "../strings.js";

export function heldCard() {
  const body = h("div", { class: "body parts" },
    h("p", {}, "Your account, where you are signed in, and what you changed. A care worker’s visits and check-ins are told on their own phone."),
    h("p", { class: "spread" }, h("button", { class: "button", type: "button", onclick: () => look(body) }, "Show what is held"), h("a", { class: "button", href: "/v1/me/held?as=csv", download: "" }, icon("download"), "Keep it as files")));
  return h("section", { class: "card", "aria-labelledby": "held-title" }, h("header", {}, icon("note"), h("h2", { id: "held-title" }, "What is held about you")), body);
}

async function look(body) {
  const said = h("div", { role: "status" }, h("p", { class: "quiet" }, "Loading…"));
  body.append(said);
  try {
    const { parts } = await ask("GET", "/v1/me/held");
    said.replaceChildren(...Object.entries(parts).map(([name, rows]) => part(name, rows)));
  } catch (problem) {
    said.replaceChildren(h("p", { class: "banner critical" }, problem.message));
  }
}

const part = (name, rows) => h("details", {}, h("summary", {}, `${plain(name)}: ${count(rows.length)}`),
  rows.length ? h("ul", { class: "rows" }, rows.slice(0, 100).map((row) => h("li", {}, h("dl", { class: "facts" }, Object.entries(row).filter(([, value]) => value != null).map(([key, value]) => [h("dt", {}, plain(key)), h("dd", {}, typeof value === "object" ? JSON.stringify(value) : String(value))]))))) : h("p", { class: "quiet small" }, "Nothing."),
  rows.length > 100 && h("p", { class: "quiet small" }, "The first hundred; the files hold all."));
