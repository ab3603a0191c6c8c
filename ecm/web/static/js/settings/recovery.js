// Ten recovery codes, shown once: to print, to copy, and to say that one has them.

import { h, icon } from "../dom.js";
import { shownOnce } from "../dialogs.js";

/** What somebody says before they are gone. */
export const KEPT = "I have them. They are not shown again.";

export const codeList = (codes) => h("ul", { class: "codes" }, codes.map((code) => h("li", {}, code)));

/** Print, and copy: both keep all of them. */
export function keeping(codes) {
  const told = h("span", { role: "status", class: "small" });
  const copy = () => navigator.clipboard.writeText(codes.join("\n")).then(() => { told.textContent = "Copied."; }, () => { told.textContent = "Mark them and copy by keyboard."; });
  return h("div", { class: "spread" }, h("button", { class: "button", type: "button", onclick: () => window.print() }, icon("download"), "Print"), h("button", { class: "button", type: "button", onclick: copy }, "Copy"), told);
}

export function showCodes(codes, done) {
  const dialog = shownOnce({
    title: "Your recovery codes", words: "Keep them somewhere safe. Each stands in for the app’s figures once, if you lose your phone.",
    body: [codeList(codes), keeping(codes)], sure: KEPT, done: () => (document.body.classList.remove("once-open"), done()),
  });
  dialog.classList.add("kept-on-paper");
  document.body.classList.add("once-open");
}
