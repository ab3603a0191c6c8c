// Ten recovery codes, shown once: to print, to copy, and to say that one has them.

import { h, icon } from "../dom.js";
import { opened } from "./dialogs.js";

export const codeList = (codes) => h("ul", { class: "codes" }, codes.map((code) => h("li", {}, code)));

/** Print, and copy: both keep all of them. */
export function keeping(codes) {
  const told = h("span", { role: "status", class: "small" });
  const copy = () => navigator.clipboard.writeText(codes.join("\n")).then(() => { told.textContent = "Copied."; }, () => { told.textContent = "Mark them and copy by keyboard."; });
  return h("div", { class: "spread" }, h("button", { class: "button", type: "button", onclick: () => window.print() }, icon("download"), "Print"), h("button", { class: "button", type: "button", onclick: copy }, "Copy"), told);
}

export function showCodes(codes, done) {
  const sure = h("input", { type: "checkbox", id: "sure" });
  const close = h("button", { class: "button primary", type: "button", disabled: true, onclick: () => dialog.close() }, "Close");
  sure.addEventListener("change", () => { close.disabled = !sure.checked; });
  const dialog = opened("Your recovery codes", h("div", { class: "once" },
    h("p", {}, "Keep them somewhere safe. Each stands in for the app’s figures once, if you lose your phone."), codeList(codes), keeping(codes),
    h("p", { class: "sure" }, sure, h("label", { for: "sure" }, "I have them. They are not shown again.")), h("div", { class: "spread buttons" }, close)));
  dialog.classList.add("kept-on-paper");
  document.body.classList.add("once-open");
  dialog.addEventListener("cancel", (event) => { if (!sure.checked) event.preventDefault(); });
  dialog.addEventListener("close", () => (document.body.classList.remove("once-open"), done()));
}
