// A second copy of what is not yet sent, in another kind of storage. If the browser loses or throws away the
// database, what was signed is found here and still goes out.
//
// A shared phone's copies are sealed as its records are, by a key in a third kind of storage: the database's would be
// lost with it. Copies are made and read by the page; the service worker only drops them.

import { seal, unseal } from "./keys.js";

const CACHE = "ecm-unsent";
const KEY = "ecm second copies";
const addressOf = (id) => `/app/unsent/${id}`;

export async function copy(record) {
  const kept = record.shared ? { id: record.id, sealed: await sealed(record) } : record;
  const cache = await caches.open(CACHE);
  await cache.put(addressOf(record.id), new Response(JSON.stringify(kept)));
}

export async function dropCopies(ids) {
  if (!(await caches.has(CACHE))) return;
  const cache = await caches.open(CACHE);
  for (const id of ids) await cache.delete(addressOf(id));
}

export async function copies() {
  if (!(await caches.has(CACHE))) return [];
  const cache = await caches.open(CACHE);
  const found = [];
  for (const request of await cache.keys()) {
    const response = await cache.match(request);
    const kept = response && (await response.json());
    const record = kept && kept.sealed ? await unsealed(kept.sealed).catch(() => null) : kept;
    if (record) found.push(record);
  }
  return found;
}

async function sealed(record) {
  const { iv, data } = await seal(await key(), record);
  return { iv: [...iv], data: [...new Uint8Array(data)] };
}

async function unsealed({ iv, data }) {
  return unseal(await key(), { iv: new Uint8Array(iv), data: new Uint8Array(data) });
}

function key() {
  const kept = localStorage.getItem(KEY) || JSON.stringify([...crypto.getRandomValues(new Uint8Array(32))]);
  localStorage.setItem(KEY, kept);
  return crypto.subtle.importKey("raw", new Uint8Array(JSON.parse(kept)), "AES-GCM", false, ["encrypt", "decrypt"]);
}
