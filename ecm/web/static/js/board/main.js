// The board page: frames in, one render per burst out.
//
//   socket.js ─► store.js (what is so) ─► index.js (what the views read) ─► view-*.js, at most once per frame

import "../frame.js";
import { Problem, ask } from "../api.js";
import { byId, h, setText } from "../dom.js";
import { page, rememberBoard } from "../page.js";
import { label } from "../strings.js";
import { dateOf, dayOfDate, hourMinute } from "../time.js";
import { Announcer } from "./announce.js";
import { ServiceClock } from "./clock.js";
import { filterOf, fromAddress, showingOf, toAddress } from "./filters.js";
import { Index } from "./index.js";
import { installKeys } from "./keys.js";
import { Line } from "./socket.js";
import { Store } from "./store.js";
import { CountersView } from "./view-counters.js";
import { FiltersView } from "./view-filters.js";
import { LanesView } from "./view-lanes.js";
import { NeedsView } from "./view-needs.js";
import { renderStoodDown } from "./view-stood-down.js";
import { TruthView } from "./view-truth.js";
import { VisitsView } from "./view-visits.js";

const LANES_EVERY_MS = 1_000;
const WHILE_LOADING_MS = 150;
const LEFT_FOR = "ecm left for";

const clock = new ServiceClock();
const store = new Store();
const index = new Index(store);
const announcer = new Announcer();
let wish = fromAddress(location);
let mine = 0;
let lastTrue = null;
let touched = new Set();
let everything = true;
let queued = false;
let lanesAt = 0;
let lanesLater = null;
let scrolled = false;

const line = new Line({
  held: () => ({ epoch: store.epoch, position: store.position, date: store.date }),
  wish: () => (wish.date ? { date: wish.date } : {}),
  frame: heard,
  refused: (problem) => fail(problem.message),
});
const truth = new TruthView(line, clock, (words) => announcer.say(words));
const counters = new CountersView((name) => change({ show: wish.show === name ? "" : name }));
const filters = new FiltersView(wish, change, announcer);
const needsView = new NeedsView({ act, may: page.may.has("acknowledge_alert"), me: page.name, clock });
const lanesView = new LanesView(clock);
const visitsView = new VisitsView();

function heard(frame) {
  if (frame.now) clock.tell(frame.now, frame.speed);
  if (frame.type === "heartbeat") truth.heard(frame);
  if (frame.type === "resync") startAgain();
  const ids = store.apply(frame);
  if (ids === "all") everything = true;
  else for (const id of ids) touched.add(id);
  if (!line.trouble()) lastTrue = clock.now();
  soon();
}

function soon() {
  if (queued) return;
  queued = true;
  if (document.hidden) setTimeout(render, 1_000);
  else if (store.loading && !everything) setTimeout(() => requestAnimationFrame(render), WHILE_LOADING_MS);
  else requestAnimationFrame(render);
}

function render() {
  const began = performance.now();
  queued = false;
  const whole = everything;
  refresh();
  const needs = index.sortedNeeds();
  mine = needs.filter((need) => need.owner === page.name).length;
  if (!store.loading) announcer.hear(needs);
  counters.render(index.counts, wish.show, store.loading);
  filters.render(wish, index.providers, mine, store.date);
  needsView.render(needs, { emptyWords: emptyWords(), loading: store.loading, date: store.date });
  renderStoodDown(index.stoodDown, clock.now());
  visitsView.render(index.list, index.needs, store.loading, store.date);
  if (whole || began - lanesAt > LANES_EVERY_MS) {
    lanesAt = began;
    lanesView.render(index.lanes, store.loading);
  } else lanesLater ??= setTimeout(() => ((lanesLater = null), soon()), LANES_EVERY_MS);
  if (!store.loading && !scrolled && index.list.length) {
    scrolled = true;
    visitsView.scrollTo(index.list.findIndex((visit) => Date.parse(visit.planned_start) >= clock.now() - 1_800_000));
  }
  setText(byId("all-note"), store.date ? dayOfDate(store.date) : "");
  truth.render(store.loading, lastTrue);
  if (!store.loading) comeBack();
  performance.measure("ecm render", { start: began, end: performance.now() });
}

/** Whoever was at a visit's page is put back at its row, by keyboard as by eye. */
function comeBack() {
  const visit = sessionStorage.getItem(LEFT_FOR);
  if (visit === null) return;
  sessionStorage.removeItem(LEFT_FOR);
  if (document.activeElement !== document.body) return;
  [`#needs a[href="${visit}"]`, `#all a[href="${visit}"]`].map((which) => document.querySelector(which)).find(Boolean)?.focus();
}

function refresh() {
  if (everything) {
    index.filter = filterOf(wish, () => clock.now());
    index.showing = showingOf(wish, page.name);
    index.rebuild();
  } else for (const id of touched) index.update(id);
  everything = false;
  touched = new Set();
}

function emptyWords() {
  if (store.loading) return ["Loading today…"];
  const narrowed = Object.entries(wish).some(([name, value]) => value && name !== "date");
  if (narrowed) return ["Nothing needs anyone in this selection.", "Clear the filters to see all of it."];
  const now = clock.now();
  const next = index.list.find((visit) => visit.state === "planned" && Date.parse(visit.planned_start) >= now);
  return ["Everyone due has someone.", next ? `Next ${label.visit} ${hourMinute(next.planned_start)}.` : `No more ${label.visits} today.`];
}

/** What is shown is another selection from here on: nothing in it is news, and nothing left out of it is settled. */
function startAgain() {
  announcer.begin();
  needsView.letGo();
}

/** Whoever asks for today by its date follows it, as everybody does: only that board shows what rings of other days. */
const isToday = (date) => clock.known && date === dateOf(clock.now());

function change(part) {
  if (isToday(part.date)) part = { ...part, date: "" };
  const other = part.date !== undefined && part.date !== wish.date;
  wish = { ...wish, ...part };
  history.replaceState(null, "", toAddress(wish));
  rememberBoard(location.search + location.hash);
  everything = true;
  startAgain();
  if (other) {
    store.apply({ type: "resync" });
    scrolled = false;
    line.send({ type: "filter", ...(wish.date ? { date: wish.date } : {}) });
  }
  soon();
}

async function act(what, alerts) {
  const method = what === "acknowledge" ? "POST" : "DELETE";
  const body = what === "acknowledge" ? {} : undefined;
  try {
    await Promise.all(alerts.map((alert) => ask(method, `/v1/alerts/${alert.id}/acknowledgement`, body)));
    byId("error").hidden = true;
    return true;
  } catch (problem) {
    fail(`${DID_NOT[what]}: ${problem instanceof Problem ? problem.message : problem}`);
    return false;
  }
}

const DID_NOT = { acknowledge: "You did not take this on", release: "This was not released" };

function fail(words) {
  const box = byId("error");
  box.replaceChildren(words, h("button", { type: "button", class: "button", onclick: () => (box.hidden = true) }, "Close"));
  box.hidden = false;
}

setInterval(() => {
  line.watch();
  if (isToday(wish.date)) change({ date: "" });
  needsView.tick();
  lanesView.tick();
  truth.render(store.loading, lastTrue);
}, 1_000);
setInterval(() => {
  everything ||= Boolean(wish.soon);
  soon();
}, 5_000);
addEventListener("popstate", () => {
  if (location.hash === "#main") return; // the link that skips to the content
  wish = fromAddress(location);
  everything = true;
  startAgain();
  soon();
});

addEventListener("click", (event) => {
  const visit = event.target.closest?.("a[href^='/visits/']")?.getAttribute("href");
  if (visit) sessionStorage.setItem(LEFT_FOR, visit);
});
rememberBoard(location.search + location.hash);
installKeys({ change, wish: () => wish });
line.start();
truth.render(true, null);
soon();
