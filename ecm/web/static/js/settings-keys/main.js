// Keys of systems: which there are, making one whose secret is shown once, and ending one for ever.

import "../frame.js";
import { ask } from "../api.js";
import { h, tag } from "../dom.js";
import { dayOf, dayOfDate } from "../time.js";
import { asking, field, secretShown, shownOnce } from "../dialogs.js";
import { all, cell, head, listed, root, show } from "../settings/parts.js";
import { SCOPES } from "../settings/words.js";

const TITLE = "Keys of systems";
const SORTS = [["In use", (key) => !key.revoked_at], ["Revoked", (key) => Boolean(key.revoked_at)], ["All", () => true]];

const load = () => show(TITLE, () => all("/v1/keys"), draw);

function draw(keys) {
  keys.sort((a, b) => a.name.localeCompare(b.name) || a.id - b.id);
  root.replaceChildren(
    head(TITLE, "A key lets another system in without a person: a telephone gateway, a roster, a report. Give each system a key of its own, so that one can be ended alone.",
      h("button", { class: "button primary", type: "button", onclick: make }, "Make a key")),
    listed({
      id: "keys", what: "keys", items: keys, sorts: SORTS.filter(([, test], n) => n === 0 || keys.some(test)), columns: ["System", "May", "Made", "Last used", "State", ""],
      find: (key) => `${key.name} ${key.scopes.join(" ")}`,
      none: h("p", { class: "empty" }, h("strong", {}, "No system has a key."), "Make one for each system that sends check-ins, imports plans or reads figures."),
      row: (key) => h("tr", {},
        h("td", {}, h("p", { class: "name" }, key.name), h("p", { class: "quiet small" }, `key ${key.id}`)),
        cell("May", key.scopes.map((scope) => SCOPES[scope]?.[0] ?? scope).join(", ")),
        cell("Made", dayOf(key.created_at)),
        cell("Last used", key.used_at ? dayOfDate(key.used_at) : "never yet"),
        cell("State", key.revoked_at ? [tag("quiet", "cancelled", "Revoked"), h("p", { class: "quiet small" }, dayOf(key.revoked_at))] : tag("good", "good", "In use")),
        h("td", {}, !key.revoked_at && h("button", { class: "button", type: "button", "aria-label": `Revoke ${key.name}, key ${key.id}`, onclick: () => revoke(key) }, "Revoke…"))),
    }));
}

function make() {
  const name = h("input", { id: "name", required: true, maxlength: 200, autocomplete: "off", "data-wrong": "Write which system the key is for." });
  const boxes = Object.entries(SCOPES).map(([scope, [title, words]]) => {
    const box = h("input", { type: "checkbox", value: scope });
    return { box, row: h("label", {}, box, h("b", {}, title), h("p", { class: "quiet small" }, words)) };
  });
  asking({
    title: "Make a key", submit: "Make the key",
    body: [field("Which system is it for?", name, "So that whoever finds it here in a year knows: “Telephone gateway”."), h("fieldset", { class: "pick" }, h("legend", {}, "What may it do?"), boxes.map(({ row }) => row))],
    act: () => {
      const scopes = boxes.map(({ box }) => box).filter((box) => box.checked).map((box) => box.value);
      if (!scopes.length) throw new Error("Choose what the key may do.");
      return ask("POST", "/v1/keys", { name: name.value.trim(), scopes }, {}, { stay: true });
    },
    done: (made) => (made ? shownOnce({
      title: `The key for ${made.name}`, done: load,
      words: "Put it into the other system now. It is kept nowhere here: if it is lost, revoke it and make another.",
      body: [secretShown(made.key), h("p", { class: "quiet small" }, "It is sent with each request as ", h("code", {}, "Authorization: Bearer …"), ". Treat it like a password.")],
    }) : load()),
  });
}

const revoke = (key) => asking({
  title: `Revoke the key for ${key.name}?`, submit: "Revoke for ever", danger: true, done: load,
  body: h("p", {}, `The system that uses it is shut out at once, and the key cannot be brought back. ${key.scopes.includes("ingest") ? "Check-ins it sends from now on are refused until it has a new key." : ""}`),
  act: () => ask("POST", `/v1/keys/${key.id}/revocation`, undefined, {}, { stay: true }),
});

load();
