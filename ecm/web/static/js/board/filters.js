// What the officer wants to see, kept in the address so that it can be sent to a colleague. What they typed may be
// somebody's name: it stands behind the #, where no server and no log on the way sees it.

const NAMES = ["show", "provider", "tier", "funder", "soon", "mine", "date"];
export const SOON_MS = 2 * 3_600_000;

export function fromAddress({ search, hash }) {
  const given = new URLSearchParams(search);
  const typed = new URLSearchParams(hash.slice(1)).get("q") ?? "";
  return { ...Object.fromEntries(NAMES.map((name) => [name, given.get(name) ?? ""])), q: typed };
}

export function toAddress(wish) {
  const set = NAMES.filter((name) => wish[name]).map((name) => [name, wish[name]]);
  const typed = wish.q ? `#${new URLSearchParams({ q: wish.q })}` : "";
  return (set.length ? `?${new URLSearchParams(set)}` : location.pathname) + typed;
}

/** Narrows everything on the page, counts included. */
export function filterOf(wish, now) {
  const words = wish.q.toLowerCase().split(/\s+/).filter(Boolean);
  return (visit) =>
    (!wish.provider || visit.provider.ref === wish.provider) &&
    (!wish.tier || visit.tier === wish.tier) &&
    (!wish.funder || visit.funder === wish.funder) &&
    (!wish.soon || isSoon(visit, now())) &&
    words.every((word) => wordsOf(visit).includes(word));
}

/** Narrows the lists further, by a counter or by owner; the counts stay. */
export function showingOf(wish, me) {
  return (visit, need, counted) =>
    (!wish.show || counted.includes(wish.show)) && (!wish.mine || need?.owner === me);
}

function isSoon(visit, now) {
  return visit.state === "late" || visit.state === "missed" || (visit.at >= now - SOON_MS / 2 && visit.at <= now + SOON_MS);
}

const known = new WeakMap();

function wordsOf(visit) {
  let words = known.get(visit);
  if (words === undefined) {
    const workers = visit.workers.map((worker) => `${worker.name} ${worker.ref}`).join(" ");
    words = `${visit.person} ${visit.area} ${visit.ref} ${visit.provider.name} ${workers} ${visit.needs}`.toLowerCase();
    known.set(visit, words);
  }
  return words;
}
