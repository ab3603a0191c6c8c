// That somebody has left: why, and then what was ended and what a person still has to look at.

import { ask } from "../api.js";
import { h, tag } from "../dom.js";
import { asking, field, opened } from "../dialogs.js";

/** `first`: fields before the reason. `path` and `name` are asked for when it is sent. */
export function somebodyLeft({ title, first = [], path, name, done }) {
  const reason = h("input", { id: "reason", required: true, maxlength: 200, autocomplete: "off", "data-wrong": "Write why: it stays on record." });
  asking({
    title, submit: "They have left", danger: true,
    body: [h("p", {}, "Everything they hold ends at once: sessions, passkeys and phones of their own. What they did stays on record."), first, field("Why?", reason, "For the record: “left on 20 November”.")],
    act: () => ask("POST", path(), { reason: reason.value.trim() }, {}, { stay: true }),
    done: (said) => (said ? ended(name(), said, done) : done()),
  });
}

function ended(name, said, done) {
  const lines = [["Sessions ended", said.sessions_ended], ["Phones cut off", said.phones_cut], ["Codes for phones ended", said.enrolments_ended], ["Passkeys ended", said.passkeys_revoked]];
  const dialog = opened(`${name} is out`, h("div", { class: "once" },
    h("dl", { class: "facts" }, lines.map(([words, n]) => [h("dt", {}, words), h("dd", {}, String(n))])),
    said.keys_to_look_at.length > 0 && h("div", { class: "act" }, tag("warning", "warning", "Look at these keys"),
      h("p", {}, "They may have kept a copy of keys of systems, which still work. Revoke them if so: ", h("a", { href: "/settings/keys" }, said.keys_to_look_at.map((key) => key.name).join(", ")), ".")),
    h("div", { class: "spread buttons" }, h("button", { class: "button primary", type: "button", onclick: () => dialog.close() }, "Close"))));
  dialog.addEventListener("close", () => done());
}
