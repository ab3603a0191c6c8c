// A second copy of what is not yet sent, in another kind of storage. If the browser loses or throws away the
// database, what was signed is found here and still goes out.

const CACHE = "ecm-unsent";
const addressOf = (id) => `/app/unsent/${id}`;

export async function copy(record) {
  const cache = await caches.open(CACHE);
  await cache.put(addressOf(record.id), new Response(JSON.stringify(record)));
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
    if (response) found.push(await response.json());
  }
  return found;
}
