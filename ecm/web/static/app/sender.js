// When to send: at once, and again until everything has a receipt. Signal coming back, the app being looked at, and
// the browser's own background sync each start a try; between them the waits grow.

import { everything, prune, send } from "./outbox.js";
import { forHolder } from "./sealed.js";
import { change, state } from "./state.js";

const WAITS_S = [2, 5, 10, 20, 40, 60];

let tries = 0;
let timer = null;
let again = false;

export async function start() {
  addEventListener("online", () => sendSoon());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && sendSoon());
  if (navigator.serviceWorker) navigator.serviceWorker.addEventListener("message", () => look());
  await prune().catch(() => {});
  await look();
  sendSoon();
}

/** Reads the outbox anew, for whoever holds the phone now. */
export async function look() {
  const { who } = state;
  const records = await forHolder(await everything(), who);
  if (state.who !== who) return look(); // it changed hands meanwhile
  change({ records });
}

/** Something is to be sent, or the world has changed: try now. */
export function sendSoon() {
  tries = 0;
  askForBackgroundSync();
  return attempt();
}

async function attempt() {
  clearTimeout(timer);
  if (state.sending.busy) {
    again = true;
    return;
  }
  change({ sending: { ...state.sending, busy: true } });
  let result = { left: 1, wait_s: 0, problem: "away" };
  try {
    result = await send();
  } catch (error) {
    console.warn(error);
  }
  change({ sending: { busy: false, problem: result.problem } });
  await look();
  if (again) {
    again = false;
    return attempt();
  }
  if (result.left) {
    const wait_s = Math.max(result.wait_s, WAITS_S[Math.min(tries, WAITS_S.length - 1)]) * (0.8 + Math.random() * 0.4);
    tries++;
    timer = setTimeout(attempt, wait_s * 1000);
  }
}

async function askForBackgroundSync() {
  if (!navigator.serviceWorker) return;
  try {
    const registration = await navigator.serviceWorker.ready;
    if (registration.sync) await registration.sync.register("ecm-send");
  } catch {
    // not offered, or not allowed just now: the page sends by itself
  }
}
