// One's own account: how one signs in, where one is signed in, and what is held about one. Whoever has not finished
// setting up how they sign in is told here what is left, and has no other page until it is done.

import "../frame.js";
import { ask } from "../api.js";
import { h, icon } from "../dom.js";
import { head, root, show } from "../settings/parts.js";
import { codeCard } from "./code.js";
import { councilCard } from "./council.js";
import { heldCard } from "./held.js";
import { passkeysCard } from "./passkeys.js";
import { noPassword, passwordCard } from "./password.js";
import { sessionsCard } from "./sessions.js";

const TITLE = "Your account";
const LEFT = {
  password: "Choose a password of your own: somebody else has seen the one you have.",
  second_way: "Add a passkey, or a code from an authenticator app: a password alone is not enough here.",
};

async function read() {
  const me = await ask("GET", "/v1/me");
  const parts = ["passkeys", "second-step", "sessions", ...(me.limited ? [] : ["council"])];
  const [passkeys, code, sessions, council = {}] = await Promise.all(parts.map((part) => ask("GET", `/v1/me/${part}`)));
  return { me, passkeys: passkeys.items, code, sessions: sessions.items, council };
}

const load = () => show(TITLE, read, draw);

function draw({ me, passkeys, code, sessions, council }) {
  const wasLimited = root.dataset.limited === "true";
  root.dataset.limited = String(me.limited);
  if (wasLimited && !me.limited) return location.assign(me.lands_on ?? "/");
  const role = document.querySelector(".menu .role")?.textContent.replace("·", "").trim();
  root.replaceChildren(...[
    head(me.name, [role, me.provider, me.tenant.name].filter(Boolean).join(", ")),
    me.limited && leftToDo(me.to_finish),
    passkeysCard(passkeys, code, load), codeCard(code, passkeys, load), me.has_password ? passwordCard(load) : noPassword(), councilCard(council, load), sessionsCard(sessions, !me.limited, load), !me.limited && heldCard(),
  ].filter(Boolean));
}

const leftToDo = (left) => h("section", { class: "card left", "aria-labelledby": "left-title" },
  h("header", {}, icon("warning"), h("h2", { id: "left-title" }, "Before you go on")),
  h("div", { class: "body" }, h("p", {}, "Everything else opens when this is done:"), h("ul", {}, left.map((one) => h("li", {}, LEFT[one] ?? one)))));

load();
