// People who sign in: who they are, how they come in, and changing any of it.

import "../frame.js";
import { ask } from "../api.js";
import { h, tag } from "../dom.js";
import { dayOf } from "../time.js";
import { asking, field } from "../dialogs.js";
import { all, cell, head, listed, root, show } from "../settings/parts.js";
import { roleWords } from "../settings/words.js";
import { given, roleFields, waysOf } from "./parts.js";
import { personDialog } from "./person.js";

const TITLE = "People";
const SORTS = [
  ["Can sign in", (one) => !one.disabled_at && !one.left_at],
  ["Password alone", (one) => !one.disabled_at && !one.left_at && one.ways.length === 1 && one.ways[0] === "password"],
  ["Kept out", (one) => one.disabled_at && !one.left_at],
  ["Have left", (one) => Boolean(one.left_at)],
  ["All", () => true],
];

async function read() {
  const [people, providers] = await Promise.all([all("/v1/accounts"), all("/v1/providers")]);
  for (const one of people) one.you = String(one.id) === document.body.dataset.account;
  return { people: people.sort((a, b) => a.name.localeCompare(b.name)), providers };
}

const load = () => show(TITLE, read, draw);

function draw({ people, providers }) {
  const nameOf = (ref) => providers.find((one) => one.ref === ref)?.name ?? ref;
  const sorts = SORTS.filter(([, test], n) => n === 0 || people.some(test));
  root.replaceChildren(
    head(TITLE, "Everybody who can sign in to this service, or once could. Nobody is deleted: what they did keeps their name.",
      h("button", { class: "button primary", type: "button", onclick: () => add(providers) }, "Add somebody")),
    listed({
      id: "people", what: "people", items: people, sorts, columns: ["Name", "Role", "Signs in with", "State", ""],
      find: (one) => `${one.name} ${one.email} ${roleWords(one.role)} ${nameOf(one.provider) ?? ""}`,
      none: h("p", { class: "empty" }, h("strong", {}, "Nobody has an account."), "Add the first person."),
      row: (one) => h("tr", {},
        h("td", {}, h("p", { class: "name" }, one.name, one.you && h("span", { class: "quiet small" }, " (you)")), h("p", { class: "quiet small" }, one.email)),
        cell("Role", h("p", {}, roleWords(one.role)), one.provider && h("p", { class: "quiet small" }, nameOf(one.provider))),
        cell("Signs in with", waysOf(one)),
        cell("State", stateOf(one)),
        h("td", {}, h("button", { class: "button", type: "button", "aria-label": `Change ${one.name}, ${one.email}`, onclick: () => personDialog(one, providers, nameOf, load) }, "Change…"))),
    }));
}

function stateOf(one) {
  if (one.left_at) return [tag("quiet", "door", "Has left"), h("p", { class: "quiet small" }, dayOf(one.left_at))];
  if (one.disabled_at) return [tag("warning", "cancelled", "Kept out"), h("p", { class: "quiet small" }, `since ${dayOf(one.disabled_at)}`)];
  if (one.password_temporary && one.password_until && new Date(one.password_until) <= new Date()) return [tag("warning", "clock", "Their password ran out"), h("p", { class: "quiet small" }, "Make a new one.")];
  if (one.password_temporary) return [tag("information", "clock", "Given a password"), one.password_until && h("p", { class: "quiet small" }, `good until ${dayOf(one.password_until)}`)];
  return tag("good", "good", "Can sign in");
}

function add(providers) {
  const name = h("input", { id: "name", required: true, maxlength: 200, autocomplete: "off", "data-wrong": "Write the person’s name." });
  const email = h("input", { id: "email", type: "email", required: true, maxlength: 254, autocomplete: "off", "data-wrong": "Write their e-mail address: it is what they sign in with." });
  const role = roleFields(providers);
  asking({
    title: "Add somebody", submit: "Add",
    body: [field("Name", name, "As others will see it."), field("E-mail address", email, "They sign in with it. Each address has one account."), role.fields],
    act: () => ask("POST", "/v1/accounts", { name: name.value.trim(), email: email.value.trim(), password_temporary: true, ...role.value() }, {}, { stay: true }),
    done: (made) => (made ? given(made, load) : load()),
  });
}

load();
