// How people sign in: whether two proofs are asked of everybody, and the council's own sign-in with the role of each group.

import "../frame.js";
import { Problem, ask } from "../api.js";
import { h, icon, tag } from "../dom.js";
import { asking } from "../dialogs.js";
import { all, head, root, show } from "../settings/parts.js";
import { roleWords } from "../settings/words.js";
import { provingAgain } from "../step-up.js";
import { dayOf, hourMinute } from "../time.js";
import { councilDialog } from "./council.js";

const TITLE = "Signing in";

async function read() {
  const [rules, council, providers] = await Promise.all([ask("GET", "/v1/sign-in-rules"), ask("GET", "/v1/oidc").catch(orNone), all("/v1/providers")]);
  return { rules, council, providers };
}

function orNone(problem) {
  if (problem instanceof Problem && problem.status === 404) return null;
  throw problem;
}

const load = () => show(TITLE, read, draw);

function draw({ rules, council, providers }) {
  const nameOf = (ref) => providers.find((one) => one.ref === ref)?.name ?? ref;
  root.replaceChildren(head(TITLE, "What is asked of whoever comes in. Passkeys always work, also when the council’s own sign-in is away."), twoProofs(rules), councilCard(council, providers, nameOf));
}

function twoProofs({ second_way_required: required }) {
  const button = required
    ? h("button", { class: "button", type: "button", onclick: () => change(false) }, "Ask for one only…")
    : h("button", { class: "button primary", type: "button", onclick: () => change(true) }, "Ask everybody for two…");
  return h("section", { class: "card", "aria-labelledby": "proofs-title" },
    h("header", {}, icon("key"), h("h2", { id: "proofs-title" }, "Two proofs"), required ? tag("good", "good", "Asked of everybody") : tag("warning", "warning", "Not asked"), h("span", { class: "grow" }), button),
    h("p", { class: "body" }, required ? "A passkey, or a code beside the password. Whoever has neither is asked to set one up when they next sign in, and does nothing else before." : "A password alone lets people in. Somebody who steals one, or guesses it, then sees where vulnerable people live."));
}

const change = (required) => asking({
  title: required ? "Ask everybody for two proofs?" : "Let a password alone do?", submit: required ? "Ask for two" : "Let one do", danger: !required, done: load,
  body: h("p", {}, required ? "It counts from everybody’s next sign-in. Nobody is shut out: who has no second way sets one up then." : "Whoever has a password can come in with nothing else from their next sign-in on."),
  act: () => provingAgain(() => ask("PUT", "/v1/sign-in-rules", { second_way_required: required }, {}, { stay: true })),
});

function councilCard(council, providers, nameOf) {
  const edit = () => councilDialog(council, providers, load);
  if (!council) {
    return h("section", { class: "card", "aria-labelledby": "council-title" }, h("header", {}, icon("home"), h("h2", { id: "council-title" }, "Council’s own sign-in"), tag("quiet", "planned", "Not joined"), h("span", { class: "grow" }), h("button", { class: "button", type: "button", onclick: edit }, "Join it…")),
      h("p", { class: "body" }, "People sign in with the account they have at the council (OpenID Connect), and their groups there say what they may do here. Whoever leaves the council’s groups is let in no more."));
  }
  return h("section", { class: "card", "aria-labelledby": "council-title" },
    h("header", {}, icon("home"), h("h2", { id: "council-title" }, "Council’s own sign-in"), stateOf(council), h("span", { class: "grow" }), h("button", { class: "button", type: "button", onclick: () => check() }, "Try whether it answers"), h("button", { class: "button", type: "button", onclick: edit }, "Change…")),
    h("div", { class: "body parts" },
      h("dl", { class: "facts" },
        h("dt", {}, "Issuer"), h("dd", {}, council.issuer), h("dt", {}, "Known there as"), h("dd", {}, council.client_id, council.has_secret ? ", with a secret" : ", without a secret"),
        h("dt", {}, "Sends people back to"), h("dd", {}, council.sends_back_to ?? "nowhere yet: ECM_PUBLIC_URL is not set"),
        h("dt", {}, "Accounts"), h("dd", {}, council.makes_accounts ? "made for whoever comes with a role" : "made here first; nobody gets one by coming"),
        h("dt", {}, "Last tried"), h("dd", {}, council.checked_at ? `${dayOf(council.checked_at)}, ${hourMinute(council.checked_at)}${council.last_error ? `: ${council.last_error}` : ", and it answered"}` : "not yet")),
      council.rules.length
        ? h("table", { class: "list" }, h("thead", {}, h("tr", {}, ["", "Group there", "Role here"].map((words) => h("th", { scope: "col" }, words || h("span", { class: "unseen" }, "Order"))))), h("tbody", {}, council.rules.map((rule, n) => h("tr", {}, h("td", { class: "number" }, `${n + 1}.`), h("td", { "data-name": "Group there" }, h("div", {}, rule.group)), h("td", { "data-name": "Role here" }, h("div", {}, roleWords(rule.role), rule.provider && ` · ${nameOf(rule.provider)}`))))))
        : h("p", { class: "banner warning" }, "No group has a role here yet, so nobody can come in this way."),
      council.rules.length > 1 && h("p", { class: "quiet small" }, "The first group somebody is in decides."),
      h("p", {}, h("button", { class: "link", type: "button", onclick: part }, "Part from it…"))));
}

function stateOf(council) {
  if (!council.sends_back_to || council.last_error) return tag("warning", "warning", "Does not work yet");
  return council.checked_at ? tag("good", "good", "Joined") : tag("information", "clock", "Joined, not tried");
}

const check = () => show(TITLE, async () => {
  await provingAgain(() => ask("POST", "/v1/oidc/check", undefined, {}, { stay: true }));
  return read();
}, draw);

const part = () => asking({
  title: "Part from the council’s own sign-in?", submit: "Part from it", danger: true, done: load,
  body: h("p", {}, "Nobody signs in there any more. Whoever has no passkey and no password here cannot come in until they are given one."),
  act: () => provingAgain(() => ask("DELETE", "/v1/oidc", undefined, {}, { stay: true })),
});

load();
