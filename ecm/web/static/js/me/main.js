// One's own account: how one signs in, where one is signed in, and what is held about one.

import "../frame.js";
import { ask } from "../api.js";
import { h } from "../dom.js";
import { head, root, show } from "../settings/parts.js";
import { passwordCard } from "./password.js";

const TITLE = "Your account";

const load = () => show(TITLE, () => ask("GET", "/v1/me"), draw);

function draw(me) {
  root.replaceChildren(head(me.name, [me.role && document.querySelector(".menu .role")?.textContent.replace("·", "").trim(), me.tenant.name].filter(Boolean).join(", ")), passwordCard(load));
}

load();
