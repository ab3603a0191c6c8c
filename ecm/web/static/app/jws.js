// Compact JWS (RFC 7515), ES256: what proves that this phone said it, and when it is a request, that it asked it.

import { base64url, sha256, utf8 } from "./bytes.js";
import { proofNow } from "./clock.js";

/** `by`: {device_id, key}. */
export async function signed(payload, by) {
  const head = base64url(utf8(JSON.stringify({ alg: "ES256", kid: by.device_id })));
  const text = `${head}.${base64url(utf8(JSON.stringify(payload)))}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, by.key.privateKey, utf8(text));
  return `${text}.${base64url(signature)}`;
}

/** The header that proves a request: for this method, path and body, and for these minutes. */
export async function proof(method, path, body, by) {
  const said = {
    m: method,
    p: path,
    b: base64url(await sha256(utf8(body))),
    at: new Date(proofNow()).toISOString(),
    n: base64url(crypto.getRandomValues(new Uint8Array(9))),
  };
  return signed(said, by);
}
