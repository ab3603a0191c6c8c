// One person: their role, a lost password, keeping them out, and that they have left.

import { ask } from "../api.js";
import { h } from "../dom.js";
import { page } from "../page.js";
import { dayOf } from "../time.js";
import { asking, opened } from "../dialogs.js";
import { somebodyLeft } from "../settings/left.js";
import { roleWords } from "../settings/words.js";
import { given, roleFields, waysOf } from "./parts.js";

export function personDialog(one, providers, nameOf, done) {
  const dialog = opened(one.name,
    h("dl", { class: "facts" },
      h("dt", {}, "E-mail"), h("dd", {}, one.email),
      h("dt", {}, "Role"), h("dd", {}, roleWords(one.role), one.provider && `, ${nameOf(one.provider)}`),
      h("dt", {}, "Signs in with"), h("dd", {}, waysOf(one)),
      one.disabled_at && [h("dt", {}, "Kept out"), h("dd", {}, `since ${dayOf(one.disabled_at)}`)],
      one.left_at && [h("dt", {}, "Left"), h("dd", {}, dayOf(one.left_at))]),
    h("div", { class: "acts" }, one.you ? ownAccount() : acts(one, providers, next)),
    h("div", { class: "spread buttons" }, h("button", { class: "button", type: "button", onclick: () => dialog.close() }, "Close")));
  function next(open) {
    dialog.close();
    open(done);
  }
}

const ownAccount = () => h("p", { class: "act" }, "This is your own account. Another administrator changes its role or keeps it out; your password and passkeys are on ", h("a", { href: "/me" }, "your own page"), ".");

function acts(one, providers, next) {
  const act = (title, words, button, open, tone = "") => h("section", { class: "act" }, h("h3", {}, title), h("p", { class: "quiet small" }, words), h("p", {}, h("button", { class: `button ${tone}`, type: "button", onclick: () => next(open) }, button)));
  if (one.left_at) return act("They have come back", "They can be let in again. What they held before stays cut off: phones are enrolled anew.", "They have come back…", (done) => returned(one, done));
  return [
    act("Role", "What they may see and do. It changes at once, also where they are signed in.", "Change role…", (done) => changeRole(one, providers, done)),
    act("Lost password", "A new one is made and shown once. It signs them out everywhere.", "Make a new password…", (done) => newPassword(one, done)),
    one.disabled_at
      ? act("Let in again", "They can sign in as before.", "Let in again…", (done) => letIn(one, done))
      : act("Keep out for now", "They are signed out everywhere at once and cannot sign in until they are let in again.", "Keep out…", (done) => keepOut(one, done)),
    page.may.has("manage_leavers") && act("They have left", "Ends everything they hold at once: sessions, passkeys and phones. What they did stays on record.", "They have left…", (done) => left(one, done)),
  ];
}

function changeRole(one, providers, done) {
  const role = roleFields(providers, one);
  asking({ title: `Role of ${one.name}`, submit: "Change role", body: role.fields, done, act: () => ask("PUT", `/v1/accounts/${one.id}/role`, role.value(), {}, { stay: true }) });
}

function newPassword(one, done) {
  asking({
    title: `A new password for ${one.name}?`, submit: "Make a new password",
    body: h("p", {}, "The old one stops working now, and they are signed out everywhere. Make sure that it is they who ask."),
    act: () => ask("POST", `/v1/accounts/${one.id}/password`, undefined, {}, { stay: true }),
    done: (made) => (made ? given(made, done) : done()),
  });
}

const keepOut = (one, done) => asking({
  title: `Keep ${one.name} out?`, submit: "Keep out", danger: true, done,
  body: h("p", {}, "They are signed out everywhere at once. Nothing is deleted, and you can let them in again."),
  act: () => ask("POST", `/v1/accounts/${one.id}/disablement`, undefined, {}, { stay: true }),
});

const letIn = (one, done) => asking({
  title: `Let ${one.name} in again?`, submit: "Let in again", done,
  body: h("p", {}, "They sign in as they did before."),
  act: () => ask("DELETE", `/v1/accounts/${one.id}/disablement`, undefined, {}, { stay: true }),
});

const left = (one, done) => somebodyLeft({ title: `${one.name} has left?`, path: () => `/v1/accounts/${one.id}/departure`, name: () => one.name, done });

const returned = (one, done) => asking({
  title: `${one.name} has come back?`, submit: "They have come back", done,
  body: h("p", {}, "They can sign in again. Phones and passkeys that were ended stay ended."),
  act: () => ask("DELETE", `/v1/accounts/${one.id}/departure`, undefined, {}, { stay: true }),
});
