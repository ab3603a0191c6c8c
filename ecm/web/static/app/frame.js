// The frame around every screen: a title, the one sentence about sending, the way to SOS; and what is said aloud.
//
// A screen is {title, back, draw(), alive?()}: `draw` gives what stands in <main>, `alive` is called each second and at
// each change for what moves by itself. A change that leaves `key()` the same does not draw again, so that nothing
// moves under a finger.

import { fill, h, icon, setText } from "./dom.js";
import { inMemoryOnly, lastSent, onChange, state, waiting } from "./state.js";
import { hourMinute, t } from "./words.js";

const top = document.getElementById("top");
const alarm = document.getElementById("alarm");
const main = document.getElementById("main");
const tabs = document.getElementById("tabs");
const status = document.getElementById("status");

let screen = null;
let drawn = "";

export function start() {
  onChange(refresh);
  setInterval(() => screen && screen.alive && screen.alive(), 1000);
}

/** Shows a screen and puts the reader at its title. */
export function show(next, { quietly = false } = {}) {
  screen = next;
  drawn = "";
  refresh();
  if (quietly) return;
  scrollTo(0, 0);
  const title = top.querySelector("h1");
  if (title) title.focus();
}

/** Draws the screen as it now is. */
export function refresh() {
  if (!screen) return;
  const key = JSON.stringify([screen.title(), screen.key ? screen.key() : "", document.documentElement.lang]);
  drawTop();
  drawTabs();
  setText(alarm, inMemoryOnly() ? t("notSaved") : "");
  if (key !== drawn) {
    drawn = key;
    const focused = document.activeElement && document.activeElement.dataset.focus;
    fill(main, screen.draw());
    if (focused) {
      const again = main.querySelector(`[data-focus="${focused}"]`);
      if (again) again.focus();
    }
  }
  if (screen.alive) screen.alive();
}

/** To whoever listens rather than looks. */
export function say(words) {
  status.textContent = "";
  setTimeout(() => (status.textContent = words), 60);
}

/** The one sentence about whether things are sent: {words, tone, icon, short}. */
export function sendingNow() {
  const n = waiting().length;
  if (n) {
    const away = state.sending.problem === "away" || !navigator.onLine;
    return { tone: "warning", icon: "kept", words: inMemoryOnly() ? t("notSaved") : t("notYetSent", { n }), short: away ? t("noSignalKept", { n }) : t("kept", { n }) };
  }
  const last = lastSent();
  const words = last ? t("sentAt", { time: hourMinute(last.received_at) }) : t("allSent");
  return { tone: "good", icon: "good", words, short: words };
}

function drawTop() {
  const sending = sendingNow();
  const parts = JSON.stringify([screen.title(), Boolean(screen.back), sending, location.hash, document.documentElement.lang]);
  if (top.dataset.drawn === parts) return;
  top.dataset.drawn = parts;
  document.title = `${screen.title()} · ecm`;
  let title = top.querySelector("h1");
  if (!title) {
    title = h("h1", { tabindex: "-1" });
    top.append(title);
  }
  setText(title, screen.title());
  for (const old of top.querySelectorAll("a")) old.remove();
  if (screen.back) top.prepend(h("a", { class: "back", href: screen.back, "aria-label": t("back") }, icon("back")));
  if (state.phone || state.records.length)
    top.append(h("a", { class: `pill ${sending.tone}`, href: "#/kept", id: "sending" }, icon(sending.icon), h("span", {}, sending.short)));
}

function drawTabs() {
  const inside = state.phone && state.who && state.trouble !== "cut_off";
  const places = inside
    ? [["#/", "today", "tabToday"], ["#/scan", "tag", "tabScan"], ["#/more", "more", "tabMore"], ["#/sos", "sos", "tabSos"]]
    : [["#/more", "more", "tabMore"], ["#/sos", "sos", "tabSos"]];
  const here = location.hash || "#/";
  const key = JSON.stringify([places, here, document.documentElement.lang]);
  if (tabs.dataset.drawn === key) return;
  tabs.dataset.drawn = key;
  tabs.setAttribute("aria-label", t("pages"));
  fill(
    tabs,
    places.map(([href, picture, words]) =>
      h("a", { href, class: picture, "aria-current": here === href ? "page" : null }, icon(picture), h("span", {}, t(words))),
    ),
  );
}
