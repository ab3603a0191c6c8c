// The filter bar. It shows the wish and changes it; the address follows.

import { byId, h, icon } from "../dom.js";
import { FUNDERS, label } from "../strings.js";

export class FiltersView {
  constructor(wish, change, sound) {
    this.change = change;
    this.provider = select("Provider", "provider", [["", "All providers"]], wish, change);
    this.tier = select("Tier", "tier", [["", "All tiers"], ["A", "Tier A only"], ["B", "Tier B only"], ["C", "Tier C only"]], wish, change);
    this.funder = select("Funder", "funder", [["", "All funders"], ...Object.entries(FUNDERS)], wish, change);
    this.soon = chip("Next 2 hours", () => change({ soon: this.soon.getAttribute("aria-pressed") === "true" ? "" : "1" }));
    this.mine = chip("Mine", () => change({ mine: this.mine.getAttribute("aria-pressed") === "true" ? "" : "1" }));
    this.clear = h("button", { type: "button", class: "chip clear", onclick: () => change({ show: "", provider: "", tier: "", funder: "", q: "", soon: "", mine: "" }) }, "Clear filters");
    this.search = h("input", { type: "search", id: "find", placeholder: `Find a ${label.person} or ${label.worker}`, "aria-label": `Find a ${label.person} or ${label.worker}`, value: wish.q, autocomplete: "off" });
    let waiting;
    this.search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => change({ q: this.search.value.trim() }), 120);
    });
    this.date = h("input", { type: "date", class: "chip", "aria-label": "Day", value: wish.date });
    this.date.addEventListener("change", () => change({ date: this.date.value }));
    this.sound = h("button", { type: "button", class: "chip", "aria-pressed": "false", onclick: () => this.#sound(sound.toggle()) });
    this.#sound(sound.on);
    byId("filters").append(
      h("div", { class: "chips" }, this.provider, this.tier, this.funder, this.soon, this.mine, this.date, this.clear),
      h("span", { class: "grow" }),
      h("label", { class: "search" }, icon("search"), this.search),
      this.sound,
      h("button", { type: "button", class: "chip", id: "keys", "aria-label": "Keys", title: "Keys" }, h("kbd", {}, "?"), h("span", {}, " keys")),
    );
  }

  render(wish, providers, mine, today) {
    const known = this.provider.options.length - 1;
    if (known !== providers.size) {
      const sorted = [...providers].sort((a, b) => a[1].localeCompare(b[1]));
      this.provider.replaceChildren(h("option", { value: "" }, "All providers"), ...sorted.map(([ref, name]) => h("option", { value: ref }, name)));
    }
    for (const name of ["provider", "tier", "funder"]) {
      this[name].value = wish[name];
      this[name].classList.toggle("set", Boolean(wish[name]));
    }
    this.soon.setAttribute("aria-pressed", String(Boolean(wish.soon)));
    this.mine.setAttribute("aria-pressed", String(Boolean(wish.mine)));
    const words = mine ? `Mine (${mine})` : "Mine";
    if (this.mine.textContent !== words) this.mine.textContent = words;
    this.clear.hidden = !["show", "provider", "tier", "funder", "q", "soon", "mine"].some((name) => wish[name]);
    this.date.classList.toggle("set", Boolean(wish.date));
    if (document.activeElement !== this.date) this.date.value = wish.date || today || "";
    if (document.activeElement !== this.search) this.search.value = wish.q;
  }

  #sound(on) {
    this.sound.setAttribute("aria-pressed", String(on));
    this.sound.replaceChildren(icon(on ? "sound" : "mute"), on ? " Sound on" : " Sound off");
  }
}

function select(words, name, options, wish, change) {
  const element = h("select", { class: "chip", "aria-label": words }, options.map(([value, text]) => h("option", { value }, text)));
  element.value = wish[name];
  element.addEventListener("change", () => change({ [name]: element.value }));
  return element;
}

function chip(words, press) {
  return h("button", { type: "button", class: "chip", "aria-pressed": "false", onclick: press }, words);
}
