// Making a passkey and proving one, with what the browser brings for it.

export const canPasskeys = () => Boolean(globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON);

/** What the browser made of the server's options, as JSON. Raises an Error with words for people. */
export const createPasskey = (options) => ceremony(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }));
export const provePasskey = (options) => ceremony(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }));

const WORDS = {
  InvalidStateError: "This device holds a passkey for you already.",
  NotAllowedError: "No passkey came: it was closed, or took too long. Nothing was changed.",
  SecurityError: "The browser takes no passkey at this address. Open the service by its name, by https.",
};

async function ceremony(begin) {
  try {
    return (await begin()).toJSON();
  } catch (error) {
    throw new Error(WORDS[error.name] ?? "The browser could not do that. Nothing was changed.");
  }
}

/** What somebody might call a passkey made here: "Chrome on Linux". */
export function nameOfThis() {
  const said = navigator.userAgent;
  const browser = [["Edg/", "Edge"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]].find(([sign]) => said.includes(sign))?.[1] ?? "Browser";
  const machine = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS", "Mac"], ["Linux", "Linux"]].find(([sign]) => said.includes(sign))?.[1];
  return machine ? `${browser} on ${machine}` : browser;
}
