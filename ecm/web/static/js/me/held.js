// What is held about whoever is signed in: counted here when they ask, and as files to keep. Each asking is written down.

import { ask } from "../api.js";
import { h, icon } from "../dom.js";
import { plain } from "../settings/words.js";
import { count } from "../strings.js";
import { dayOf, withSeconds } from "../time.js";

const INSTANT = /^\d{4}-\d\d-\d\dT/;

export function heldCard() {
  const said = h("div", { role: "status" });
  const button = h("button", { class: "button", type: "button", onclick: () => look(said, button) }, "Show what is held");
  const body = h("div", { class: "body parts" },
    h("p", {}, "Your account, where you are signed in, and what you changed. A care worker’s visits and check-ins are told on their own phone."),
    h("p", { class: "spread" }, button, h("a", { class: "button", href: "/v1/me/held?as=csv", download: "" }, icon("download"), "Keep it as files")), said);
  return h("section", { class: "card", "aria-labelledby": "held-title" }, h("header", {}, icon("note"), h("h2", { id: "held-title" }, "What is held about you")), body);
}

async function look(said, button) {
  button.disabled = true;
  said.replaceChildren(h("p", { class: "quiet" }, "Loading…"));
  try {
    const { parts } = await ask("GET", "/v1/me/held");
    said.replaceChildren(...Object.entries(parts).map(([name, rows]) => part(name, rows)));
  } catch (problem) {
    said.replaceChildren(h("p", { class: "banner critical" }, problem.message));
  }
  button.disabled = false;
}

const part = (name, rows) => h("details", {}, h("summary", {}, `${plain(name)}: ${count(rows.length)}`),
  rows.length ? h("ul", { class: "rows" }, rows.slice(0, 100).map((row) => h("li", {}, h("dl", { class: "facts" }, Object.entries(row).filter(([, value]) => value != null).map(([key, value]) => [h("dt", {}, plain(key)), h("dd", {}, inWords(value))]))))) : h("p", { class: "quiet small" }, "Nothing."),
  rows.length > 100 && h("p", { class: "quiet small" }, "The first hundred; the files hold all."));

function inWords(value) {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string" && INSTANT.test(value)) return `${dayOf(value)}, ${withSeconds(value)}`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
