// What the sections of settings share: reading a list whole, showing it a part at a time, and saying what went wrong.

import { ask } from "../api.js";
import { byId, h } from "../dom.js";
import { count } from "../strings.js";

export const root = byId("page");
const PAGE = 500;
const PAGES_MAX = 50;
const SHOWN = 100;

/** Every page of a list, as far as anybody would read: at most 25,000 things. */
export async function all(path) {
  const items = [];
  let cursor = "";
  for (let n = 0; n < PAGES_MAX; n += 1) {
    const page = await ask("GET", `${path}${path.includes("?") ? "&" : "?"}limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...page.items);
    if (!page.next) return items;
    cursor = page.next;
  }
  return Object.assign(items, { cut: true });
}

/** Reads by `read`, then draws by `draw`; what went wrong is said, with a way to try again. */
export async function show(title, read, draw) {
  root.setAttribute("aria-busy", "true");
  try {
    draw(await read());
  } catch (problem) {
    root.replaceChildren(h("h1", {}, title), h("section", { class: "card message" },
      h("h2", {}, "This could not be read"), h("p", { role: "alert" }, problem.message),
      h("p", {}, h("button", { class: "button primary", type: "button", onclick: () => show(title, read, draw) }, "Try again"))));
  }
  root.removeAttribute("aria-busy");
}

export const head = (title, words, ...more) =>
  h("header", { class: "page-head" }, h("div", { class: "grow" }, h("h1", {}, title), words && h("p", { class: "quiet" }, words)), more);

/**
 * A list to look through: `sorts` are [name, fits] to choose between, `find` gives the text of an item that is looked
 * through. The first hundred are drawn; a button draws more.
 */
export function listed({ id, columns, items, sorts, find, row, none, what }) {
  let fits = (sorts.find(([, test]) => items.some(test)) ?? sorts[0])[1];
  let shown = SHOWN;
  const wanted = h("input", { type: "search", id: `find-${id}`, autocomplete: "off", spellcheck: "false" });
  const body = h("tbody");
  const said = h("p", { role: "status", class: "quiet small" });
  const more = h("button", { class: "button", type: "button", onclick: () => { shown += SHOWN; fill(); } });
  const empty = h("p", { class: "empty" }, h("strong", {}, "Nothing here fits."), "Look for something else.");
  const choices = sorts.map(([name, test]) => h("button", { class: "chip", type: "button", "aria-pressed": String(test === fits), onclick: () => choose(test) }, `${name} `, h("b", {}, count(items.filter(test).length))));
  const choose = (test) => {
    fits = test;
    shown = SHOWN;
    choices.forEach((choice, n) => choice.setAttribute("aria-pressed", String(sorts[n][1] === test)));
    fill();
  };
  const fill = () => {
    const words = wanted.value.trim().toLowerCase();
    const fitting = items.filter((item) => fits(item) && (!words || find(item).toLowerCase().includes(words)));
    body.replaceChildren(...fitting.slice(0, shown).map(row));
    table.hidden = fitting.length === 0;
    empty.hidden = fitting.length > 0;
    more.hidden = fitting.length <= shown;
    more.textContent = `Show ${count(Math.min(SHOWN, fitting.length - shown))} more`;
    said.textContent = words || more.hidden === false ? `${count(Math.min(shown, fitting.length))} of ${count(fitting.length)} shown` : "";
  };
  wanted.addEventListener("input", () => { shown = SHOWN; fill(); });
  const table = h("table", { class: "list" }, h("thead", {}, h("tr", {}, columns.map((words) => h("th", { scope: "col" }, words || h("span", { class: "unseen" }, "What you can do"))))), body);
  if (!items.length) return h("section", { class: "card" }, none);
  fill();
  return h("section", { class: "card", "aria-label": what },
    h("div", { class: "looking" }, h("div", { class: "chips", role: "group", "aria-label": "Show" }, choices), h("span", { class: "grow" }),
      h("div", { class: "field find" }, h("label", { for: `find-${id}`, class: "unseen" }, `Find in ${what}`), Object.assign(wanted, { placeholder: "Find" }))),
    table, empty, h("div", { class: "below" }, said, more, items.cut && h("p", { class: "small" }, "Only the first 25,000 are listed.")));
}

/** A cell that names its column, because on a phone each row is a small card. */
export const cell = (name, ...children) => h("td", { "data-name": name }, h("div", {}, children));
