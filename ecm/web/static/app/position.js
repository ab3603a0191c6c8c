// Where the phone thinks it is, and how sure. Watched while the app is open and seen; it informs, it never refuses.

import * as clock from "./clock.js";

const OLD_MS = 2 * 60000;
const EARTH_M = 6371000;

let fix = null; // {lat, lon, accuracy_m, at}
let problem = ""; // "" | "denied" | "none"
let watching = null;

/** `changed` hears of every new fix. */
export function watch(changed) {
  if (watching !== null || !navigator.geolocation) {
    if (!navigator.geolocation) problem = "none";
    return;
  }
  const how = { enableHighAccuracy: true, maximumAge: 10000, timeout: 60000 };
  watching = navigator.geolocation.watchPosition(
    (found) => {
      const { latitude, longitude, accuracy } = found.coords;
      fix = { lat: latitude, lon: longitude, accuracy_m: Math.round(accuracy * 10) / 10, at: Math.min(found.timestamp, Date.now()) };
      problem = "";
      changed();
    },
    (error) => {
      problem = error.code === error.PERMISSION_DENIED ? "denied" : "none";
      changed();
    },
    how,
  );
}

export function stopWatching() {
  if (watching !== null) navigator.geolocation.clearWatch(watching);
  watching = null;
}

/** The fix as an event carries it; undefined when there is none of the last minutes. */
export function fixNow() {
  if (!isFresh()) return undefined;
  const { lat, lon, accuracy_m, at } = fix;
  return { lat, lon, accuracy_m, fixed_at: clock.iso(clock.fromWall(at)) };
}

/** {kind: inside | outside | unsure | known | finding | denied | none, distance_m, accuracy_m} for a home, if it has a place. */
export function placeOf(home) {
  if (!isFresh()) return { kind: problem || "finding" };
  const accuracy_m = Math.round(fix.accuracy_m);
  if (!home || home.lat == null || home.lon == null) return { kind: "known", accuracy_m };
  const distance_m = Math.round(distance(fix, home));
  const fence_m = home.fence_m || 100;
  const kind = distance_m + accuracy_m <= fence_m ? "inside" : distance_m - accuracy_m > fence_m ? "outside" : "unsure";
  return { kind, distance_m, accuracy_m };
}

const isFresh = () => fix !== null && Date.now() - fix.at < OLD_MS;

/** Metres over the ground (haversine). */
function distance(a, b) {
  const radians = (degrees) => (degrees * Math.PI) / 180;
  const half = (x) => Math.sin(x / 2) ** 2;
  const h = half(radians(b.lat - a.lat)) + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * half(radians(b.lon - a.lon));
  return 2 * EARTH_M * Math.asin(Math.sqrt(h));
}
