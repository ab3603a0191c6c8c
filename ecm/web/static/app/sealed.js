// What a shared phone keeps of those who hold it: every record is sealed as it is saved. It is opened in memory only:
// for whoever made it while they hold the phone, and to send it, which can wait for nobody to come back.
//
// The key cannot be taken out of this phone's database, and stays there when the phone is logged out or cut off: what it
// seals must still go out. This file runs in the page and in the service worker.

import { seal, sealsFor, unseal } from "./keys.js";

/** As it lies on the disk. Saved as it is rather than not at all, if it cannot be sealed: see `sealTheRest`. */
export async function atRest(record) {
  if (!record.shared || record.sealed) return record;
  const { said, jws, ...rest } = record;
  try {
    return { ...rest, sealed: await seal(await sealsFor("outbox"), { said, jws }) };
  } catch {
    return record;
  }
}

export async function opened(record) {
  return record.sealed ? { ...record, ...(await unseal(await sealsFor("outbox"), record.sealed)) } : record;
}

/** For the eyes of `who`: their own, and of the others' only that they are there. */
export function forHolder(records, who) {
  const me = (who && who.care_worker) || null;
  return Promise.all(records.map((record) => (!record.shared || record.whose === me ? opened(record).catch(() => shut(record)) : shut(record))));
}

export const shut = (record) => (record.shared ? { ...record, said: {}, jws: undefined, detail: "" } : record);
