// The board by keyboard.

import { byId, h } from "../dom.js";
import { label } from "../strings.js";

const KEYS = [
  ["/", `find a ${label.person}, ${label.worker} or area`],
  ["j and k", "next and previous row that needs someone"],
  ["a", "acknowledge the row you are in"],
  ["Enter", `open the ${label.visit} you are in`],
  ["m", "only mine"],
  ["n", "only the next two hours"],
  ["Escape", "clear the search, or close this"],
  ["?", "show these keys"],
];

// Whoever speaks to the machine, or whose hand slips, turns the single letters off: remembered on this machine.
const SWITCH = "ecm keys";

export function installKeys({ change, wish }) {
  const help = byId("help");
  const on = h("input", { type: "checkbox", id: "keys-on", checked: localStorage.getItem(SWITCH) !== "off" });
  const button = byId("keys");
  const show = () => {
    button.classList.toggle("off", !on.checked);
    button.title = on.checked ? "Keys" : "Keys, switched off";
  };
  on.addEventListener("change", () => {
    localStorage.setItem(SWITCH, on.checked ? "on" : "off");
    show();
  });
  help.replaceChildren(
    h("h2", { id: "help-title" }, "Keys"),
    h("dl", { class: "keys" }, KEYS.flatMap(([key, words]) => [h("dt", {}, key.split(" and ").flatMap((one, n) => [n ? " " : "", h("kbd", {}, one)])), h("dd", {}, words)])),
    h("label", { class: "keys-switch", for: "keys-on" }, on, "Keyboard shortcuts on"),
    h("p", { class: "quiet small" }, "Off: these keys do nothing. The ? button still opens this."),
    h("form", { method: "dialog" }, h("button", { class: "button primary", autofocus: true }, "Close")),
  );
  button.addEventListener("click", () => help.showModal());
  show();
  const press = {
    "/": () => byId("find").focus(),
    "?": () => help.showModal(),
    j: () => step(1),
    k: () => step(-1),
    a: () => document.activeElement.closest("tr.need")?.querySelector('[data-action="acknowledge"]')?.click(),
    m: () => change({ mine: wish().mine ? "" : "1" }),
    n: () => change({ soon: wish().soon ? "" : "1" }),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "Escape" && event.target.id === "find") {
      event.target.value = "";
      event.target.blur();
      change({ q: "" });
    }
    if (typing || !on.checked || !press[event.key]) return;
    event.preventDefault();
    press[event.key]();
  });
}

function step(by) {
  const rows = [...document.querySelectorAll("tr.need")];
  const at = rows.indexOf(document.activeElement.closest("tr.need"));
  const row = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
  row?.querySelector("a[href^='/visits/']")?.focus();
}
