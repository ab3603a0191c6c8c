// The audit: who did what to what, looked through by what was done, by whom, about what, and when.

import "../frame.js";
import { ask } from "../api.js";
import { h } from "../dom.js";
import { count, label, many } from "../strings.js";
import { dateOf, dayOf, withSeconds } from "../time.js";
import { deviceName } from "../settings/device.js";
import { field } from "../dialogs.js";
import { cell, head, root, show } from "../settings/parts.js";
import { plain } from "../settings/words.js";
import { wholeness } from "./whole.js";

const TITLE = "Audit";
const PAGE = 100;
const LOOKED_FOR = ["action", "actor", "subject", "from", "to"];
const wanted = new URLSearchParams(location.search);
const asked = () => LOOKED_FOR.filter((name) => wanted.get(name)).map((name) => `&${name}=${encodeURIComponent(wanted.get(name))}`).join("");

const load = () => show(TITLE, () => ask("GET", `/v1/audit?newest_first=true&limit=${PAGE}${asked()}`), draw);

function draw(first) {
  const body = h("tbody");
  const said = h("p", { role: "status", class: "quiet small" });
  const more = h("button", { class: "button", type: "button" }, "Show more");
  const table = h("table", { class: "list audit" }, h("thead", {}, h("tr", {}, ["When", "Who", "Did what", "To what", "Why", "From where"].map((words) => h("th", { scope: "col" }, words)))), body);
  let next;
  let shown = 0;
  const add = (page) => {
    body.append(...page.items.map(row));
    shown += page.items.length;
    next = page.next;
    more.hidden = !next;
    said.textContent = shown ? `${count(shown)} shown, newest first${next ? "" : "; that is all"}.` : "";
  };
  more.addEventListener("click", async () => {
    more.disabled = true;
    try {
      add(await ask("GET", `/v1/audit?newest_first=true&limit=${PAGE}${asked()}&cursor=${next}`));
    } catch (problem) {
      said.textContent = problem.message;
    }
    more.disabled = false;
  });
  add(first);
  root.replaceChildren(
    head(TITLE, "Every change, and every look at something private. It can be added to and never edited."),
    ...wholeness(),
    h("section", { class: "card", "aria-label": "What was done" }, form(),
      first.items.length ? table : h("p", { class: "empty" }, h("strong", {}, asked() ? "Nothing was found." : "Nothing was done yet."), asked() ? "Look for less." : "What people do from now on is written here."),
      h("div", { class: "below" }, said, more)));
}

const row = (entry) => h("tr", {},
  cell("When", h("p", { class: "nowrap" }, dayOf(entry.at)), h("p", { class: "quiet small" }, withSeconds(entry.at))),
  cell("Who", named(entry.actor, entry.actor_ref, "actor")), cell("Did what", h("p", { class: "name" }, plain(entry.action))),
  cell("To what", named(entry.subject, entry.subject_ref, "subject"), entry.facts.people && h("p", { class: "quiet small" }, many(entry.facts.people.length, label.person, "people"))),
  cell("Why", entry.erased ? h("span", { class: "quiet" }, "words erased") : entry.reason ?? ""),
  cell("From where", h("p", {}, entry.origin ?? ""), entry.agent && h("p", { class: "quiet small" }, deviceName(entry.agent)), h("p", { class: "quiet small" }, `place ${count(entry.seq)}`)));

/** What is said of somebody or something; its ref, where it has one, looks for everything else about it. */
function named(words, ref, by) {
  if (!ref) return h("p", {}, words);
  const rest = words.startsWith(ref) ? words.slice(ref.length).trim() : words;
  return h("p", {}, rest && `${rest} `, h("button", { class: "link small", type: "button", title: `Look for ${ref}`, onclick: () => look([[by, ref]]) }, ref));
}

function form() {
  const box = (name, more) => h("input", { id: `look-${name}`, name, autocomplete: "off", value: wanted.get(name) ?? "", ...more });
  const made = h("form", { class: "looking search", role: "search" },
    field("Who", box("actor", { placeholder: "account 4", maxlength: 200 })), field("Did what", box("action", { placeholder: "key_revoked", maxlength: 100 })), field("To what", box("subject", { placeholder: "visit 12", maxlength: 200 })),
    field("From", box("from", { type: "date", max: dateOf(Date.now()) })), field("To", box("to", { type: "date" })),
    h("div", { class: "spread" }, h("button", { class: "button primary", type: "submit" }, "Look"), asked() && h("button", { class: "button", type: "button", onclick: () => look([]) }, "Everything")));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    look(new FormData(made));
  });
  return made;
}

function look(entries) {
  for (const name of LOOKED_FOR) wanted.delete(name);
  for (const [name, value] of entries) if (value.trim()) wanted.set(name, value.trim());
  history.replaceState(null, "", `?${wanted}`);
  load();
}

load();
