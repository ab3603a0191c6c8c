// Asking the service. Every answer is data or a Refusal; no answer at all is Away.

import * as clock from "./clock.js";
import { proof } from "./jws.js";

const PATIENCE_MS = 20000;

/** `status`, `type` (the stable name of the problem), `detail`, `waitSeconds`. */
export class Refusal extends Error {
  constructor(status, said, waitSeconds) {
    super(said.detail || said.title || `the service answered ${status}`);
    Object.assign(this, { status, type: said.type || "", detail: this.message, waitSeconds });
  }

  get left() {
    return this.type === "/problems/left";
  }

  get cutOff() {
    return this.type === "/problems/cut-off";
  }
}

/** Nobody answered: no signal, or the service is down. */
export class Away extends Error {}

/** `by`: {device_id, key}. Signs the request; when the phone's clock is wrong, puts it right and asks once more. */
export async function ask(method, path, { body = "", by, unlock } = {}) {
  try {
    return await once(method, path, body, by, unlock);
  } catch (error) {
    if (!(error instanceof Refusal) || error.type !== "/problems/clock-wrong") throw error;
    await clock.heardRealTime(error.date);
    return once(method, path, body, by, unlock);
  }
}

export async function once(method, path, body, by, unlock) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  if (by) {
    headers.Authorization = `Device ${by.device_id}`;
    if (by.key) headers["ECM-Proof"] = await proof(method, path, body, by);
  }
  if (unlock) headers["ECM-Unlock"] = unlock;
  return received(await sent(path, { method, headers, body: body || undefined, cache: "no-store", credentials: "omit" }));
}

async function sent(path, how) {
  const patience = new AbortController();
  const giveUp = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    return await fetch(path, { ...how, signal: patience.signal });
  } catch (error) {
    throw new Away(String(error));
  } finally {
    clearTimeout(giveUp);
  }
}

async function received(response) {
  let said = {};
  try {
    said = await response.json();
  } catch (error) {
    if (response.ok) throw new Away("the answer broke off");
  }
  if (response.ok) return said;
  const refusal = new Refusal(response.status, said, Number(response.headers.get("retry-after")) || 0);
  refusal.date = response.headers.get("date");
  throw refusal;
}
