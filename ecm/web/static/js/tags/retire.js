// Taking a tag or a code card out of use, with the reason.

import { ask } from "../api.js";
import { asking, field } from "../dialogs.js";
import { h } from "../dom.js";

export function askWhy(what, path, done) {
  const reason = h("input", { id: "why", required: true, maxlength: 200, autocomplete: "off", "data-wrong": "Write why: it stays on record." });
  asking({
    title: `Retire ${what}`, submit: "Retire", danger: true, done,
    body: [field("Why?", reason), h("p", { class: "quiet small" }, "From then on it proves nothing. It stays on record, and so does what it proved before.")],
    act: () => ask("POST", path, { reason: reason.value.trim() }, {}, { stay: true }),
  });
}
