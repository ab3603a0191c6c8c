// Bytes, digests and ids.

const encoder = new TextEncoder();

export const utf8 = (text) => encoder.encode(text);

/** Base64url without padding (RFC 7515). */
export function base64url(bytes) {
  let text = "";
  for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export const sha256 = (bytes) => crypto.subtle.digest("SHA-256", bytes);

export const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** UUID version 7 (RFC 9562): sorts by the moment it was made. `now`: milliseconds. */
export function uuid7(now) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let left = Math.max(0, Math.floor(now));
  for (let at = 5; at >= 0; at--) {
    bytes[at] = left % 256;
    left = Math.floor(left / 256);
  }
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = hex(bytes);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}
