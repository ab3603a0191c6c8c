// What is fixed in people's homes: which have a tag or a code card, making them, the sheet to print, and retiring one.

import "../frame.js";
import { ask } from "../api.js";
import { byId, h, icon, tag } from "../dom.js";
import { capital, count, label, many } from "../strings.js";
import { dayOf } from "../time.js";
import { showCard } from "./card.js";
import { askKeySafe } from "./key-safe.js";
import { askWhy } from "./retire.js";
import { sheet } from "./sheet.js";

const PAGE = 100;
const PAGES_MAX = 50;
const KINDS = { qr: "QR code", nfc: "plain NFC tag", ntag424: "secure NFC tag" };
const root = byId("page");

async function load() {
  root.setAttribute("aria-busy", "true");
  try {
    const [homes, tags, cards] = await Promise.all([all("/v1/homes"), all("/v1/tags"), all("/v1/code-cards")]);
    draw(homes, tags, cards);
  } catch (problem) {
    root.removeAttribute("aria-busy");
    root.replaceChildren(h("section", { class: "card message" }, h("h1", {}, "The tags could not be read"), h("p", {}, problem.message), h("p", {}, h("button", { class: "button primary", type: "button", onclick: load }, "Try again"))));
  }
}

/** Every page of a list, as far as anybody would print. */
async function all(path) {
  const items = [];
  let cursor = "";
  for (let n = 0; n < PAGES_MAX; n += 1) {
    const page = await ask("GET", `${path}?limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...page.items);
    if (!page.next) return items;
    cursor = page.next;
  }
  return items;
}

function draw(homes, tags, cards) {
  root.removeAttribute("aria-busy");
  const printable = tags.filter((one) => one.kind === "qr").sort(byHome);
  root.replaceChildren(
    h("h1", { class: "no-print" }, "Tags and code cards"),
    homes.length ? homesCard(homes) : h("section", { class: "card no-print" }, h("p", { class: "empty" }, h("strong", {}, `No ${label.person} here yet.`), `Whoever has a planned ${label.visit} with you will be listed.`)),
    h("div", { class: "columns no-print" }, tagsCard(tags), cardsCard(cards)),
    sheet(printable),
  );
}

function homesCard(homes) {
  const boxes = homes.map((home) => h("input", { type: "checkbox", value: home.service_user, "aria-label": `Choose ${nameOf(home)}, ${home.service_user}`, checked: home.tags === 0 }));
  const said = h("p", { role: "status", class: "small", hidden: true });
  const make = h("button", { class: "button primary", type: "button" }, icon("home"), "Make QR tags");
  const kind = h("select", { "aria-label": "Kind of tag" }, Object.entries(KINDS).map(([value, words]) => h("option", { value }, capital(words))));
  const card = h("button", { class: "button", type: "button" }, icon("clock"), "Make a code card");
  const chosen = () => homes.filter((_, n) => boxes[n].checked);
  const recount = () => {
    const n = chosen().length;
    make.disabled = n === 0;
    card.disabled = n !== 1;
    make.lastChild.textContent = n ? `Make ${many(n, `${KINDS[kind.value]}`)}` : "Choose homes first";
    card.title = n === 1 ? "" : "Choose one home";
  };
  kind.addEventListener("change", recount);
  const several = h("input", { type: "checkbox", "aria-label": "Choose all" });
  several.addEventListener("change", () => { for (const box of boxes) box.checked = several.checked; recount(); });
  for (const box of boxes) box.addEventListener("change", recount);
  make.addEventListener("click", () => makeTags(chosen(), kind.value, make, said));
  card.addEventListener("click", () => makeCard(chosen()[0], card, said));
  recount();
  const bare = homes.filter((home) => home.tags === 0).length;
  return h("section", { class: "card no-print", "aria-labelledby": "homes-title" },
    h("header", {}, h("h2", { id: "homes-title" }, "Homes"), h("span", { class: `count ${bare ? "quiet" : "zero"}` }, bare ? `${count(bare)} without a tag` : "every home has a tag"), h("span", { class: "grow" }), kind, make, card),
    said,
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The homes, scrolled" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, several), ["Person", "Area", "Tags", "Code cards", "Key safe"].map((words, n) => h("th", { scope: "col", class: n > 1 && "number" }, words)))),
      h("tbody", {}, homes.map((home, n) => h("tr", {}, h("td", {}, boxes[n]), h("th", { scope: "row" }, nameOf(home), h("span", { class: "quiet small" }, ` ${home.service_user}`)), h("td", {}, home.area ?? "not stated"), h("td", { class: "number" }, home.tags || tag("warning", null, "none")), h("td", { class: "number" }, home.code_cards || "–"), h("td", { class: "number" }, keySafe(home))))))));
}

/** Whether a code is known, and the way to set it. The code itself is shown to nobody here. */
const keySafe = (home) => h("button", { class: "button", type: "button", "aria-label": `${home.key_safe ? "Change" : "Set"} the key safe code of ${nameOf(home)}, ${home.service_user}`, onclick: () => askKeySafe(home, load) }, home.key_safe ? "Change" : "Set");

async function makeTags(homes, kind, button, said) {
  button.disabled = true;
  let made = 0;
  const keys = [];
  try {
    for (const home of homes) {
      tell(said, `Making ${count(made + 1)} of ${count(homes.length)}…`);
      const tag = await ask("POST", "/v1/tags", { kind, service_user: home.service_user }, {}, { stay: true });
      if (tag.keys) keys.push(tag);
      made += 1;
    }
    if (keys.length) showCard.keys(keys, load);
    else await load();
  } catch (problem) {
    tell(said, `${many(made, "tag")} made, then it stopped: ${problem.message} What was made is kept.`);
    if (keys.length) showCard.keys(keys, load);
    button.disabled = false;
  }
}

async function makeCard(home, button, said) {
  button.disabled = true;
  try {
    showCard(await ask("POST", "/v1/code-cards", { service_user: home.service_user }, {}, { stay: true }), load);
  } catch (problem) {
    tell(said, problem.message);
    button.disabled = false;
  }
}

function tagsCard(tags) {
  const rows = [...tags].sort(byHome).map((one) => thing(one, `${capital(KINDS[one.kind])}, ${one.label}`, one.id, `/v1/tags/${one.id}/retirement`));
  const print = tags.some((one) => one.kind === "qr") && h("button", { class: "button primary", type: "button", onclick: () => print_() }, icon("download"), "Print the QR sheet");
  return listCard("tags-title", "Tags in use", tags.length, rows, "No tag is in use.", "A printed code, or an NFC tag by the door, tells a phone which home it is in.", print);
}

function cardsCard(cards) {
  const rows = [...cards].sort(byHome).map((one) => thing(one, `${one.digits} digits, a new code every ${one.step_seconds} s, ${one.label}`, `card ${one.id}`, `/v1/code-cards/${one.id}/retirement`));
  return listCard("cards-title", "Code cards in use", cards.length, rows, "No code card is in use.", "A cheap token in the home shows a new code every minute: it works with no smartphone.");
}

const print_ = () => window.print();

function listCard(id, title, n, rows, none, words, more) {
  return h("section", { class: "card", "aria-labelledby": id }, h("header", {}, h("h2", { id }, title), h("span", { class: "count quiet" }, count(n)), h("span", { class: "grow" }), more),
    n ? h("ul", { class: "things" }, rows) : h("p", { class: "empty" }, h("strong", {}, none), words));
}

function thing(one, words, name, path) {
  return h("li", {}, h("div", { class: "grow" }, h("b", {}, nameOf(one)), one.area && ` · ${one.area}`, h("span", { class: "quiet small" }, ` ${one.service_user}`), h("p", { class: "quiet small" }, `${words} · ${name} · since ${dayOf(one.made_at)}`)),
    h("button", { class: "button", type: "button", "aria-label": `Retire ${name} of ${nameOf(one)}, ${one.service_user}`, onclick: () => askWhy(`${name} of ${nameOf(one)}, ${one.service_user}`, path, load) }, "Retire"));
}

const nameOf = (one) => one.short_name;
const byHome = (a, b) => (a.area ?? "").localeCompare(b.area ?? "") || a.short_name.localeCompare(b.short_name) || a.service_user.localeCompare(b.service_user);

function tell(element, words) {
  element.textContent = words;
  element.hidden = false;
}

load();
