// Enrolling a phone: whose it will be, then a code on the screen that the phone scans.

import { ask } from "../api.js";
import { h } from "../dom.js";
import { dayOf, hourMinute } from "../time.js";
import { asking, drawn, field, opened, secretShown } from "../settings/dialogs.js";
import { all } from "../settings/parts.js";

export function enrol(providers, done) {
  const one = providers.length === 1;
  const [own, shared] = ["own", "shared"].map((value) => h("input", { type: "radio", name: "whose", value, checked: value === "own" }));
  const provider = h("select", { id: "provider", required: true, "data-wrong": "Choose the provider." }, !one && h("option", { value: "" }, "Choose…"), providers.map(({ ref, name }) => h("option", { value: ref }, `${name} (${ref})`)));
  const worker = h("select", { id: "worker", required: true, "data-wrong": "Choose the care worker." });
  const label = h("input", { id: "label", maxlength: 200, autocomplete: "off" });
  const holder = field("Care worker", worker, "Type the first letters to find a name.");
  const said = h("p", { class: "quiet small", role: "status" });
  const follow = async () => {
    holder.hidden = shared.checked;
    worker.hidden = shared.checked;
    worker.required = own.checked;
    if (!provider.value) return worker.replaceChildren(h("option", { value: "" }, "Choose the provider first"));
    const asked = provider.value;
    worker.replaceChildren(h("option", { value: "" }, "Loading…"));
    try {
      const workers = await all(`/v1/care-workers?provider=${encodeURIComponent(asked)}`);
      if (asked !== provider.value) return;
      workers.sort((a, b) => a.name.localeCompare(b.name));
      worker.replaceChildren(h("option", { value: "" }, workers.length ? "Choose…" : "This provider has no care worker yet"), ...workers.map(({ ref, name }) => h("option", { value: ref }, `${name} (${ref})`)));
    } catch (problem) {
      worker.replaceChildren(h("option", { value: "" }, "Could not be read"));
      said.textContent = problem.message;
    }
  };
  for (const input of [own, shared, provider]) input.addEventListener("change", follow);
  const asked = asking({
    title: "Enrol a phone", submit: "Make the code",
    body: [
      h("fieldset", { class: "pick" }, h("legend", {}, "Whose phone is it?"),
        h("label", {}, own, h("b", {}, "One care worker’s"), h("p", { class: "quiet small" }, "It opens with that person’s day.")),
        h("label", {}, shared, h("b", {}, "Shared"), h("p", { class: "quiet small" }, "It stays with the provider. Whoever takes it opens it with their own PIN."))),
      field("Provider", provider), holder, said, field("What is it called?", label, "“Anna’s phone”, “Spare 3”. It stands in the list."),
    ],
    act: () => ask("POST", "/v1/enrolments", { ...(shared.checked ? { provider: provider.value } : { care_worker: worker.value }), ...(label.value.trim() && { label: label.value.trim() }) }, {}, { stay: true }),
    done: (made) => (made ? show(made, done) : done()),
  });
  follow();
  return asked;
}

function show(made, done) {
  const dialog = opened("Scan this with the phone",
    h("div", { class: "once" },
      h("div", { class: "with-qr" }, drawn(made.qr, "QR code that enrols the phone"),
        h("div", { class: "once" },
          h("ol", {}, h("li", {}, "Open the phone’s camera and point it at the code."), h("li", {}, "Open the address it shows."), h("li", {}, "Put the app on the home screen when it offers to.")),
          h("p", {}, "Or open the app and type:"), secretShown(made.code.replace(/(.{5})(?=.)/, "$1 ")))),
      h("p", { class: "quiet small" }, `Good once, until ${hourMinute(made.expires_at)} on ${dayOf(made.expires_at)}. It is not shown again; if it is lost, make another.`),
      h("div", { class: "spread buttons" }, h("button", { class: "button primary", type: "button", onclick: () => dialog.close() }, "Done"))));
  dialog.addEventListener("close", () => done());
}
