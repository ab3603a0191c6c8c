// Passkeys: what the service asks of the browser, and what the browser answers, as JSON. Browsers learnt to read and
// write that JSON themselves only lately, so it is done here.

export const hasPasskeys = () => isSecureContext && typeof PublicKeyCredential === "function";

/** Whether the browser offers passkeys by itself, where the e-mail address is typed. */
export const offersThem = async () => hasPasskeys() && Boolean(await PublicKeyCredential.isConditionalMediationAvailable?.());

/** A proof by a passkey the person chooses. `more`: mediation, signal. Raises what the browser raises. */
export async function prove(options, more = {}) {
  const credential = await navigator.credentials.get({ publicKey: asked(options), ...more });
  return answered(credential, ["clientDataJSON", "authenticatorData", "signature", "userHandle"]);
}

/** A new passkey. Raises an Error that says in words why there is none. */
export async function make(options) {
  const credential = await navigator.credentials.create({ publicKey: asked(options) }).catch((error) => {
    throw new Error(deviceWords(error) ?? "It was stopped. Nothing was changed.");
  });
  return answered(credential, ["clientDataJSON", "attestationObject"]);
}

/** What went wrong between the person and their device, in words; null when they, or we, only stopped. */
export function deviceWords(error) {
  if (error.name === "AbortError") return null;
  return {
    NotAllowedError: "No passkey was used. Try again, or go on another way.",
    InvalidStateError: "This device has a passkey for you already.",
    SecurityError: "Passkeys do not work at this address.",
    NotSupportedError: "This device cannot make such a passkey.",
  }[error.name] ?? "The passkey did not work. Try again, or go on another way.";
}

function asked(options) {
  const described = (list) => list?.map((one) => ({ ...one, id: toBytes(one.id) }));
  return {
    ...options,
    challenge: toBytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: toBytes(options.user.id) } }),
    ...(options.allowCredentials && { allowCredentials: described(options.allowCredentials) }),
    ...(options.excludeCredentials && { excludeCredentials: described(options.excludeCredentials) }),
  };
}

function answered(credential, names) {
  const response = Object.fromEntries(names.filter((name) => credential.response[name]).map((name) => [name, toText(credential.response[name])]));
  return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response };
}

function toBytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function toText(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
