// The app from its opening on: what is on this phone, which screen is due, what was scanned, and the steady beat.

import * as clock from "./clock.js";
import * as day from "./day.js";
import * as frame from "./frame.js";
import { restore } from "./phone.js";
import * as position from "./position.js";
import { cutOff } from "./screens/cut-off.js";
import { enrol } from "./screens/enrol.js";
import { screenAt } from "./screens/index.js";
import { unlock } from "./screens/unlock.js";
import * as sender from "./sender.js";
import { lockIfAlone, touch } from "./session.js";
import { change, onChange, state } from "./state.js";
import { showTagged, tagRead } from "./tags.js";
import { startLanguage } from "./words.js";

const REFRESH_MS = 5 * 60000;
const OPEN_TO_ALL = /^#\/(sos|more|kept|log-out)$/;

let gate = "";

start();

async function start() {
  startLanguage();
  frame.start();
  await clock.load();
  await restore();
  await day.open().catch(() => {});
  await readAddress();
  onChange(guard);
  addEventListener("hashchange", () => (readCode(), route()));
  for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, touch, { passive: true });
  document.addEventListener("visibilitychange", seen);
  setInterval(beat, 15000);
  setInterval(refreshDay, REFRESH_MS);
  await sender.start();
  route();
  seen();
  registerServiceWorkers();
}

/** Which screen: what keeps everybody out first, then what the address asks for. */
function route(how) {
  gate = gateNow();
  const hash = location.hash || "#/";
  if (gate && !OPEN_TO_ALL.test(hash)) frame.show({ enrol, cutOff, unlock }[gate](), how);
  else frame.show(screenAt(hash), how);
}

function gateNow() {
  if (!state.phone) return "enrol";
  if (state.trouble === "cut_off") return "cutOff";
  return state.who ? "" : "unlock";
}

/** The phone was enrolled, locked or cut off while a screen was open. */
function guard() {
  if (gateNow() === gate) return;
  const opened = gateNow() === "";
  route();
  if (opened) {
    day.open().catch(() => {}).then(refreshDay).then(() => state.tag && showTagged());
    position.watch(change);
  }
}

async function refreshDay() {
  if (document.visibilityState !== "visible") return;
  const trouble = await day.refresh();
  if (trouble === "locked" || !state.who) await day.checkEpoch();
}

function seen() {
  if (document.visibilityState !== "visible") return position.stopWatching();
  lockIfAlone();
  if (state.phone && state.who) position.watch(() => change());
  beat();
  refreshDay();
}

function beat() {
  lockIfAlone();
  day.wipeIfOld().catch(() => {});
}

/** `?tag=` a tag in a home, taken out of the address once read. */
async function readAddress() {
  readCode();
  const asked = new URLSearchParams(location.search);
  if (asked.get("tag")) await tagRead(asked.get("tag"));
  if (location.search) history.replaceState(null, "", `/app${location.hash}`);
}

/** `#enrol=` a code from the office: behind the #, where no server and no log on the way sees it. Then taken out. */
function readCode() {
  const code = new URLSearchParams(location.hash.slice(1)).get("enrol");
  if (!code) return;
  change({ code });
  history.replaceState(null, "", `/app${location.search}`);
}

/** One for the app, one so that a tag opens it without a network. */
async function registerServiceWorkers() {
  if (!navigator.serviceWorker) return;
  for (const scope of ["/app", "/t/"])
    try {
      await navigator.serviceWorker.register("/app/sw.js", { scope, type: "module", updateViaCache: "none" });
    } catch {
      await navigator.serviceWorker.register("/app/sw.js?plain=1", { scope, updateViaCache: "none" }).catch(() => {});
    }
}
