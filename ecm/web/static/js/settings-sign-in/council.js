// Joining the council's own sign-in: where it is, as whom this service is known there, and the role of each group.

import { ask } from "../api.js";
import { h } from "../dom.js";
import { asking, field } from "../dialogs.js";
import { ROLES } from "../settings/words.js";
import { provingAgain } from "../step-up.js";

export function councilDialog(council, providers, done) {
  const box = (id, more) => h("input", { id, autocomplete: "off", spellcheck: "false", maxlength: 200, ...more });
  const issuer = box("issuer", { type: "url", required: true, maxlength: 500, value: council?.issuer, placeholder: "https://", "data-wrong": "Write the issuer’s address, as the council gave it." });
  const client = box("client", { required: true, value: council?.client_id, "data-wrong": "Write the client id, as the council gave it." });
  const secret = box("secret", { type: "password", maxlength: 1000, autocomplete: "new-password" });
  const claim = box("claim", { required: true, value: council?.groups_claim ?? "groups", "data-wrong": "Write where the groups stand: usually groups." });
  const scopes = box("scopes", { required: true, maxlength: 500, value: council?.scopes ?? "openid profile email groups", "data-wrong": "Write what is asked for: usually openid profile email groups." });
  const makes = h("input", { type: "checkbox", id: "makes", checked: council?.makes_accounts ?? false });
  const rules = h("ol", { class: "rules" });
  for (const rule of council?.rules ?? [{}]) rules.append(ruleRow(rule, providers));
  const { dialog } = asking({
    title: council ? "Change the council’s own sign-in" : "Join the council’s own sign-in", submit: "Save",
    body: [
      field("Issuer", issuer, "The council’s name for its sign-in, to the letter."), field("Client id", client), field("Client secret", secret, council?.has_secret ? "Left empty: the one that is kept, if issuer and client stay the same." : "As the council gave it. It is sealed, and shown to nobody again."),
      h("fieldset", { class: "pick" }, h("legend", {}, "Which group has which role here?"), h("p", { class: "quiet small" }, "The first group somebody is in decides. Whoever is in none is not let in."), rules,
        h("p", {}, h("button", { class: "button", type: "button", onclick: () => rules.append(ruleRow({}, providers)) }, "Add a group"))),
      h("fieldset", { class: "pick" }, h("label", {}, makes, h("b", {}, "Make an account for whoever comes with a role"), h("p", { class: "quiet small" }, "Else people are added here first."))),
      h("details", {}, h("summary", {}, "Seldom changed"), h("div", { class: "parts" }, field("Groups stand in", claim), field("Asked for", scopes))),
    ],
    act: () => provingAgain(() => ask("PUT", "/v1/oidc", {
      issuer: issuer.value.trim(), client_id: client.value.trim(), scopes: scopes.value.trim(), groups_claim: claim.value.trim(), makes_accounts: makes.checked,
      ...(secret.value && { client_secret: secret.value }),
      rules: [...rules.children].map((row) => row.said()).filter((rule) => rule.group),
    }, {}, { stay: true })),
    done,
  });
  dialog.classList.add("large");
}

let made = 0;

/** A group and its role; `said()` gives it as it is sent. */
function ruleRow({ group = "", role = "", provider = null }, providers) {
  const id = `rule-${(made += 1)}`;
  const name = h("input", { id, maxlength: 200, autocomplete: "off", value: group });
  const roles = h("select", { "aria-label": "Its role here" }, h("option", { value: "" }, "Choose a role…"), ROLES.map((one) => h("option", { value: one.role, selected: one.role === role }, one.words)));
  const whose = h("select", { "aria-label": "For which provider", "data-wrong": "Choose the provider that this role is for." }, h("option", { value: "" }, "Choose the provider…"), providers.map((one) => h("option", { value: one.ref, selected: one.ref === provider }, one.name)));
  const follow = () => {
    whose.hidden = !ROLES.find((one) => one.role === roles.value)?.of_provider;
    whose.required = !whose.hidden;
    roles.required = name.value.trim() !== "";
    roles.dataset.wrong = `Choose a role for ${name.value.trim()}.`;
  };
  for (const input of [name, roles]) input.addEventListener("input", follow);
  follow();
  const row = h("li", {}, h("div", { class: "field" }, h("label", { for: id }, "Group there"), name), h("div", { class: "field" }, h("span", { class: "label" }, "Role here"), roles, whose),
    h("button", { class: "button", type: "button", "aria-label": `Take out ${group || "this group"}`, onclick: () => row.remove() }, "Take out"));
  row.said = () => ({ group: name.value.trim(), role: roles.value, provider: whose.hidden ? null : whose.value });
  return row;
}
