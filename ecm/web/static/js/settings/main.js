// What needs doing: the few things somebody should see to, worst first, each with the page where it is done.

import "../frame.js";
import { ask } from "../api.js";
import { h, icon } from "../dom.js";
import { page } from "../page.js";
import { head, root, show } from "./parts.js";
import { TODO, plain } from "./words.js";

const TITLE = "What needs doing";
const WORST = ["critical", "warning", "information"];

const load = () => show(TITLE, () => (page.may.has("manage_phones") ? ask("GET", "/v1/needs-doing") : { items: [] }), draw);

function draw({ items }) {
  const known = items.map((item) => ({ ...item, words: TODO[item.code] ?? [() => plain(item.code), "", "information", "See"] }));
  known.sort((a, b) => WORST.indexOf(a.words[2]) - WORST.indexOf(b.words[2]));
  root.replaceChildren(
    head(TITLE, "What this service noticed about its own doors and keys."),
    h("section", { class: "card", "aria-label": TITLE }, known.length ? h("ul", { class: "todo" }, known.map(row)) : h("p", { class: "empty" }, h("strong", {}, "Nothing needs doing."), "The doors and keys you look after are in order.")));
}

const row = ({ count: n, page: to, words: [title, why, tone, button] }) =>
  h("li", { class: tone }, h("div", {}, h("h2", {}, icon(tone === "information" ? "note" : "warning"), title(n)), h("p", { class: "quiet" }, why)), h("a", { class: "button", href: to }, button));

load();
