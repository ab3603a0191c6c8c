// Taking a tag or a code card out of use, with the reason.

import { ask } from "../api.js";
import { h } from "../dom.js";

export function askWhy(what, path, done) {
  const reason = h("input", { id: "why", required: true, maxlength: 200, autocomplete: "off" });
  const said = h("p", { role: "alert", class: "banner critical", hidden: true });
  const form = h("form", { class: "why" }, h("div", { class: "field" }, h("label", { for: "why" }, "Why?"), reason), said,
    h("p", { class: "quiet small" }, "From then on it proves nothing. It stays on record, and so does what it proved before."),
    h("div", { class: "spread" }, h("button", { class: "button primary", type: "submit" }, "Retire"), h("button", { class: "button", type: "button", onclick: () => dialog.close() }, "Cancel")));
  const dialog = h("dialog", { "aria-labelledby": "why-title" }, h("h2", { id: "why-title" }, `Retire ${what}`), form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await ask("POST", path, { reason: reason.value }, {}, { stay: true });
      dialog.close();
      done();
    } catch (problem) {
      said.textContent = problem.message;
      said.hidden = false;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
