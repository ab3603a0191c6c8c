// A secret that is shown once: a code card's, as a card to print, or the keys of secure tags to write.

import { drawn } from "../dialogs.js";
import { h } from "../dom.js";

export function showCard(card, done) {
  once("A new code card", done,
    h("p", {}, "Set a token with this, now: the code is shown only here and only once."),
    h("div", { class: "label one" }, drawn(card.qr, "QR code that sets the token"),
      h("div", {}, h("b", { class: "whose" }, card.short_name), h("p", {}, [card.area, card.service_user].filter(Boolean).join(" · ")), h("p", { class: "how" }, `${card.digits} digits, a new code every ${card.step_seconds} seconds`), h("p", { class: "id" }, card.secret.replace(/(.{4})(?=.)/g, "$1 ")), h("p", {}, `card ${card.id}, ${card.label}`))),
    h("p", { class: "quiet small" }, "Whoever has this can make the codes. Do not leave it in the home: only the token goes there."));
}

showCard.keys = (tags, done) => once("Keys of secure tags", done,
  h("p", {}, "Write each tag with this address and these keys, now: they are shown only here and only once."),
  h("ul", { class: "things" }, tags.map((tag) => h("li", {}, h("div", {}, h("b", {}, tag.short_name), tag.area && ` · ${tag.area}`, tag.service_user && ` · ${tag.service_user}`,
    [["Address", tag.template], ["Meta key", tag.keys.meta], ["File key", tag.keys.file]].map(([name, value]) => h("p", { class: "id" }, h("span", { class: "quiet" }, `${name} `), value)))))));

function once(title, done, ...body) {
  const sure = h("input", { type: "checkbox", id: "sure" });
  const close = h("button", { class: "button", type: "button", disabled: true, onclick: () => dialog.close() }, "Close");
  sure.addEventListener("change", () => { close.disabled = !sure.checked; });
  const dialog = h("dialog", { class: "once", "aria-labelledby": "once-title" }, h("h2", { id: "once-title" }, title), body,
    h("p", { class: "spread" }, sure, h("label", { for: "sure" }, "I have it")),
    h("div", { class: "spread" }, h("button", { class: "button primary", type: "button", onclick: () => window.print() }, "Print"), close));
  dialog.addEventListener("cancel", (event) => { if (!sure.checked) event.preventDefault(); });
  dialog.addEventListener("close", () => (dialog.remove(), document.body.classList.remove("once-open"), done()));
  document.body.classList.add("once-open");
  document.body.append(dialog);
  dialog.showModal();
}
