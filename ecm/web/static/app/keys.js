// Two keys, made on this phone, and neither can be taken out of it: one signs, one seals.

import { answer, read, transact, write } from "./store.js";

const SIGNING = { name: "ECDSA", namedCurve: "P-256" };
const SEALING = { name: "AES-GCM", length: 256 };

export const makeSigningKey = () => crypto.subtle.generateKey(SIGNING, false, ["sign", "verify"]);

/** {kty, crv, x, y}: the half that may be told. */
export async function publicHalf(pair) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { kty, crv, x, y };
}

export async function sealingKey() {
  const kept = await read("vault");
  if (kept) return kept;
  const made = await crypto.subtle.generateKey(SEALING, false, ["encrypt", "decrypt"]);
  await write("vault", made);
  return made;
}

/** A sealing key of this name, which is never forgotten. Two pages that make it at once are given the same. */
export async function sealsFor(name) {
  const kept = await read(`seals ${name}`);
  if (kept) return kept;
  const made = await crypto.subtle.generateKey(SEALING, false, ["encrypt", "decrypt"]);
  return transact("readwrite", async (store) => {
    const meanwhile = await answer(store("keep").get(`seals ${name}`));
    if (!meanwhile) store("keep").put(made, `seals ${name}`);
    return meanwhile || made;
  });
}

/** A key out of a worker's PIN, for what a shared phone keeps of theirs. */
export async function keyOfPin(pin, salt) {
  const typed = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: 210000 };
  return crypto.subtle.deriveKey(how, typed, SEALING, false, ["encrypt", "decrypt"]);
}

export async function seal(key, what) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(JSON.stringify(what)));
  return { iv, data };
}

/** What was sealed; throws when the key is another's. */
export async function unseal(key, { iv, data }) {
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, data);
  return JSON.parse(new TextDecoder().decode(plain));
}
