// The phone's own database. Two stores: `keep`, single things by name (the key, the sealed day, the clock), and
// `outbox`, every signed event and report by its id.
//
// A write is done when the disk has it: durability is strict, and nobody is told before the transaction is complete.

const STORES = ["keep", "outbox"];
let opened = null;

/** Runs `work(store)` in one transaction; resolves with its answer once that is complete. */
export async function transact(mode, work) {
  let database = await open();
  let transaction;
  try {
    transaction = begin(database, mode);
  } catch (error) {
    opened = null; // the browser closed it under us: once more
    database = await open();
    transaction = begin(database, mode);
  }
  return new Promise((resolve, reject) => {
    let answer;
    transaction.oncomplete = () => resolve(answer);
    transaction.onabort = () => reject(transaction.error || new Error("not saved"));
    new Promise((done) => done(work((name) => transaction.objectStore(name)))).then(
      (value) => (answer = value),
      (error) => {
        reject(error);
        try {
          transaction.abort();
        } catch {
          // it had ended by itself
        }
      },
    );
  });
}

/** What a request inside a transaction answers. */
export function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export const read = (name) => transact("readonly", (store) => answer(store("keep").get(name)));
export const write = (name, value) => transact("readwrite", (store) => answer(store("keep").put(value, name)));

export function forget(...names) {
  return transact("readwrite", (store) => Promise.all(names.map((name) => answer(store("keep").delete(name)))));
}

function begin(database, mode) {
  return mode === "readonly" ? database.transaction(STORES) : database.transaction(STORES, mode, { durability: "strict" });
}

function open() {
  if (opened) return opened;
  const opening = new Promise((resolve, reject) => {
    const asking = indexedDB.open("ecm", 1);
    asking.onupgradeneeded = () => {
      asking.result.createObjectStore("keep");
      asking.result.createObjectStore("outbox", { keyPath: "id" });
    };
    asking.onerror = () => reject(asking.error);
    asking.onsuccess = () => {
      const database = asking.result;
      const letGo = () => {
        if (opened === opening) opened = null;
      };
      database.onclose = letGo;
      database.onversionchange = () => {
        database.close();
        letGo();
      };
      resolve(database);
    };
  });
  opened = opening;
  opening.catch(() => (opened = null));
  return opening;
}
