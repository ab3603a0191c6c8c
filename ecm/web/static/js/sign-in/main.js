// Signing in by a passkey: by the button, or where the browser offers one while the e-mail address is typed. The
// password's form beside it needs no script.

import { Problem, ask } from "../api.js";
import { byId, setText } from "../dom.js";
import { deviceWords, hasPasskeys, offersThem, prove } from "../passkeys.js";

// An opening is good for five minutes; the browser's own offer begins again before that.
const OFFER_LASTS_MS = 4.5 * 60_000;

const block = byId("by-passkey");
const button = byId("passkey");
const said = byId("passkey-said");
let offered = null;
let proved = false; // by the button or by the browser's own offer, whichever came first

if (block && hasPasskeys()) {
  block.hidden = false;
  byId("by-password")?.classList.remove("primary");
  button.addEventListener("click", byButton);
  if (document.querySelector('[autocomplete~="webauthn"]') && (await offersThem())) offer();
}

async function byButton() {
  offered?.abort();
  button.disabled = true;
  say("");
  try {
    await signIn({});
  } catch (error) {
    say(words(error));
    offer();
  }
  button.disabled = false;
}

/** Waits, unseen, until the person picks a passkey from what the browser offers beside the address. */
async function offer() {
  if (!(await offersThem())) return;
  const mine = (offered = new AbortController());
  const again = setTimeout(() => {
    mine.abort();
    if (!document.hidden) return offer();
    document.addEventListener("visibilitychange", offer, { once: true });
  }, OFFER_LASTS_MS);
  try {
    await signIn({ mediation: "conditional", signal: mine.signal });
  } catch (error) {
    if (error instanceof Problem && error.status === 401) say(words(error)); // nobody asked for the rest
  }
  clearTimeout(again);
}

async function signIn(how) {
  const { opening, options } = await ask("POST", "/v1/session/passkey-options", undefined, {}, { stay: true });
  const credential = await prove(options, how);
  if (proved || how.signal?.aborted) return;
  proved = true;
  say("Signing in…");
  const session = await ask("POST", "/v1/session/passkey", { opening, credential }, {}, { stay: true }).catch((problem) => {
    proved = false;
    throw problem;
  });
  const next = document.querySelector("input[name=next]")?.value;
  location.assign(next && !session.limited ? next + location.hash : session.lands_on);
}

const words = (error) => (error instanceof Problem ? error.message : deviceWords(error)) ?? "";
const say = (text) => setText(said, text);
