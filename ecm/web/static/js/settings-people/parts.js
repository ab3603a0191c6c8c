// What both the list and one person's dialog show: ways of signing in, the choice of a role, a password made.

import { h, tag } from "../dom.js";
import { field, secretShown, shownOnce } from "../dialogs.js";
import { ROLES, WAYS } from "../settings/words.js";

export function waysOf({ ways }) {
  if (!ways.length) return tag("quiet", "planned", "Nothing yet");
  if (ways.length === 1 && ways[0] === "password") return tag("warning", "warning", "Password alone");
  return h("p", {}, ways.map((way) => WAYS[way] ?? way).join(", "));
}

/** The choice of a role, and of the provider where the role belongs to one. */
export function roleFields(providers, now = {}) {
  const role = h("select", { id: "role", required: true, "data-wrong": "Choose a role." }, h("option", { value: "" }, "Choose…"), ROLES.map((one) => h("option", { value: one.role, selected: one.role === now.role }, one.words)));
  const provider = h("select", { id: "provider", "data-wrong": "Choose the provider they work for." }, h("option", { value: "" }, "Choose…"), providers.map((one) => h("option", { value: one.ref, selected: one.ref === now.provider }, `${one.name} (${one.ref})`)));
  const whose = field("Works for", provider, "They see this provider’s people and visits, and nobody else’s.");
  const follow = () => {
    whose.hidden = !ROLES.find((one) => one.role === role.value)?.of_provider;
    provider.hidden = whose.hidden;
    provider.required = !whose.hidden;
  };
  role.addEventListener("change", follow);
  follow();
  return {
    fields: [field("Role", role), whose, h("p", { class: "small" }, h("a", { href: "/settings/roles", target: "_blank", rel: "noopener" }, "What each role may do (opens beside)"))],
    value: () => ({ role: role.value, provider: whose.hidden ? null : provider.value }),
  };
}

/** A password that was just made, shown once. */
export const given = ({ name, email, password }, done) => shownOnce({
  title: `A password for ${name}`, body: secretShown(password), done,
  words: ["They sign in as ", h("b", {}, email), " with this password. Give it to them in person or by telephone, not by e-mail. It is good for seven days; in them they choose one of their own, before they can do anything else."],
});
