// How to get in: written here, sealed by the service, and told in the app near the visit only. It is never shown again.

import { ask } from "../api.js";
import { asking, field } from "../dialogs.js";
import { h } from "../dom.js";

export function askKeySafe(home, done) {
  const code = h("input", { id: "key-safe", required: true, pattern: ".*\\S.*", maxlength: 200, autocomplete: "off", spellcheck: "false", "data-wrong": home.key_safe ? "Write the code, or say that there is none any more." : "Write the code." });
  const put = (value) => ask("PUT", "/v1/homes/key-safe", { service_user: home.service_user, code: value }, {}, { stay: true });
  const { dialog, tell } = asking({
    title: `Key safe of ${home.short_name}${home.area ? `, ${home.area}` : ""}`, submit: "Save", done,
    body: [
      field("Code, and where the key safe is", code, "It is told to the care worker in the app, from half an hour before the visit to half an hour after it. Nobody can read it here, and each telling is written down."),
      home.key_safe && h("p", {}, h("button", { class: "button", type: "button", onclick: () => put(null).then(() => (dialog.close(), done()), tell) }, "There is none any more")),
    ],
    act: () => put(code.value.trim()),
  });
}
