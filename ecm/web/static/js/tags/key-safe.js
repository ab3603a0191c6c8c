// How to get in: written here, sealed by the service, and told in the app near the visit only. It is never shown again.

import { ask } from "../api.js";
import { h } from "../dom.js";

export function askKeySafe(home, done) {
  const code = h("input", { id: "key-safe", maxlength: 200, autocomplete: "off", spellcheck: "false" });
  const said = h("p", { role: "alert", class: "banner critical", hidden: true });
  const save = async (value) => {
    try {
      await ask("PUT", "/v1/homes/key-safe", { service_user: home.service_user, code: value }, {}, { stay: true });
      dialog.close();
      done();
    } catch (problem) {
      tell(problem.message);
    }
  };
  const tell = (words) => {
    said.textContent = words;
    said.hidden = false;
  };
  const form = h("form", { class: "why" }, h("div", { class: "field" }, h("label", { for: "key-safe" }, "Code, and where the key safe is"), code), said,
    h("p", { class: "quiet small" }, "It is told to the care worker in the app, from half an hour before the visit to half an hour after it. Nobody can read it here, and each telling is written down."),
    h("div", { class: "spread" }, h("button", { class: "button primary", type: "submit" }, "Save"), home.key_safe && h("button", { class: "button", type: "button", onclick: () => save(null) }, "There is none any more"), h("button", { class: "button", type: "button", onclick: () => dialog.close() }, "Cancel")));
  const dialog = h("dialog", { "aria-labelledby": "key-safe-title" }, h("h2", { id: "key-safe-title" }, `Key safe of ${home.short_name}${home.area ? `, ${home.area}` : ""}`), form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (code.value.trim()) save(code.value);
    else tell("Write the code, or say that there is none any more.");
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
