// Enrolling a phone: whose it will be, then a code on the screen that the phone scans.

import { ask } from "../api.js";
import { h } from "../dom.js";
import { dayOf, hourMinute } from "../time.js";
import { asking, drawn, field, opened, secretShown } from "../dialogs.js";
import { workerFields } from "./choose.js";

export function enrol(providers, done) {
  const [own, shared] = ["own", "shared"].map((value) => h("input", { type: "radio", name: "whose", value, checked: value === "own" }));
  const choice = workerFields(providers);
  const label = h("input", { id: "label", maxlength: 200, autocomplete: "off" });
  for (const input of [own, shared]) input.addEventListener("change", () => choice.offerWorkers(own.checked));
  asking({
    title: "Enrol a phone", submit: "Make the code",
    body: [
      h("fieldset", { class: "pick" }, h("legend", {}, "Whose phone is it?"),
        h("label", {}, own, h("b", {}, "One care worker’s"), h("p", { class: "quiet small" }, "It opens with that person’s day.")),
        h("label", {}, shared, h("b", {}, "Shared"), h("p", { class: "quiet small" }, "It stays with the provider. Whoever takes it opens it with their own PIN."))),
      choice.fields, field("What is it called?", label, "“Anna’s phone”, “Spare 3”. It stands in the list."),
    ],
    act: () => ask("POST", "/v1/enrolments", { ...(shared.checked ? { provider: choice.provider.value } : { care_worker: choice.worker.value }), ...(label.value.trim() && { label: label.value.trim() }) }, {}, { stay: true }),
    done: (made) => (made ? show(made, done) : done()),
  });
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
