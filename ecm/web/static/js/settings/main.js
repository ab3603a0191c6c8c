// What needs doing: the few things somebody should see to, worst first, each with the page where it is done.

import "../frame.js";
import { ask } from "../api.js";
import { h, icon } from "../dom.js";
import { page } from "../page.js";
import { dayOf, hourMinute } from "../time.js";
import { head, root, show } from "./parts.js";
import { NEEDS, plain } from "./words.js";

const TITLE = "What needs doing";
const WORST = ["critical", "warning", "information"];

const NOTHING = { items: [] };
const both = async () => {
  const [needs, notices] = await Promise.all([
    page.may.has("manage_phones") ? ask("GET", "/v1/needs-doing") : NOTHING,
    page.may.has("read_audit") ? ask("GET", "/v1/notices") : NOTHING,
  ]);
  return { items: needs.items, notices: notices.items };
};
const load = () => show(TITLE, both, draw);

function draw({ items, notices }) {
  const known = items.map((item) => ({ ...item, words: NEEDS[item.code] ?? [() => plain(item.code), "", "information", "See"] }));
  known.sort((a, b) => WORST.indexOf(a.words[2]) - WORST.indexOf(b.words[2]));
  root.replaceChildren(
    head(TITLE, "What this service noticed about its own doors and keys."),
    h("section", { class: "card", "aria-label": TITLE }, known.length || notices.length ? h("ul", { class: "todo" }, notices.map(happened), known.map(row)) : h("p", { class: "empty" }, h("strong", {}, "Nothing needs doing."), "The doors and keys you look after are in order.")));
}

const row = ({ count: n, page: to, words: [title, why, tone, button] }) =>
  h("li", { class: tone }, h("div", {}, h("h2", {}, icon(tone === "information" ? "note" : "warning"), title(n)), h("p", { class: "quiet" }, why)), h("a", { class: "button", href: to }, button));

// What happened at the doors, until somebody says that they have seen it.
const happened = ({ id, words, do: advice, times, last_at: last }) =>
  h("li", { class: "critical" },
    h("div", {}, h("h2", {}, icon("warning"), words),
      h("p", { class: "quiet" }, advice, ` Last ${dayOf(last)}, ${hourMinute(last)}${times > 1 ? `, ${times} times` : ""}.`), h("p", { role: "alert" })),
    page.may.has("manage_accounts") ? h("button", { class: "button", type: "button", "aria-label": `Seen: ${words}`, onclick: (event) => seen(id, event.currentTarget) }, "Seen") : null);

async function seen(id, button) {
  button.disabled = true;
  try {
    await ask("POST", `/v1/notices/${id}/seen`);
    await load();
  } catch (problem) {
    button.disabled = false;
    button.closest("li").querySelector("[role=alert]").textContent = problem.message;
  }
}

load();
