// The first run, in four steps: the machine's code, who they are, how they sign in, and their recovery codes. Nothing is
// kept by the service before the third is finished, and then everything.

import { ask } from "../api.js";
import { byId, h, icon } from "../dom.js";
import { hasPasskeys, make } from "../passkeys.js";
import { deviceName } from "../settings/device.js";
import { field, wrongIn } from "../dialogs.js";
import { appCode } from "../settings/app-code.js";
import { KEPT, codeList, keeping } from "../settings/recovery.js";

const STEPS = ["The code", "Who you are", "How you sign in", "Recovery codes"];
const root = byId("page");
const said = { setup_code: "", authority: "", name: "", email: "" };
let passkeys = false;

/** One step: a heading, a form, and what went wrong in it. `act` goes on, or throws. Gives what says more of it. */
function step(n, title, words, body, submit, act, ...more) {
  byId("steps").replaceChildren(...STEPS.map((name, at) => h("li", { "aria-current": at === n && "step" }, icon(at < n ? "good" : "planned"), name)));
  const wrong = h("div", { role: "alert" });
  const tell = (words) => wrong.replaceChildren(h("p", { class: "banner critical" }, words));
  const button = h("button", { class: "button primary wide", type: "submit" }, submit);
  const heading = h("h1", { tabindex: -1 }, title);
  const form = h("form", { class: "asked", novalidate: true }, body, wrong, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const bad = wrongIn(form);
    if (bad) return tell(bad);
    wrong.replaceChildren();
    button.disabled = true;
    try {
      await act();
    } catch (problem) {
      tell(problem.message);
    }
    button.disabled = false;
  });
  root.replaceChildren(heading, h("p", { class: "quiet" }, words), form, ...more.filter(Boolean));
  (form.querySelector("input") ?? heading).focus();
  return tell;
}

const send = (path, body) => ask("POST", path, body, {}, { stay: true });

function askCode(wrong) {
  const code = h("input", { id: "code", class: "code-input", required: true, maxlength: 40, autocomplete: "off", autocapitalize: "characters", spellcheck: "false", "data-wrong": "Write the code that the machine showed." });
  const tell = step(0, "Set this service up", "You need the code that the service showed where it was started. It makes sure that nobody else is first.",
    [field("The code", code, "Twelve letters and figures.")], "Go on", () => begin(code.value),
    h("p", { class: "quiet small" }, "No code? On the machine, ", h("code", {}, "ecm setup-code"), " makes one."),
    h("p", { class: "quiet small" }, "You have an account already? ", h("a", { href: "/?sign_in=here" }, "Sign in"), "."));
  if (wrong) tell(wrong);
}

async function begin(code) {
  const waiting = await send("/v1/setup/code", { setup_code: code });
  said.setup_code = code;
  said.authority ||= waiting.authority === "Example Borough" ? "" : waiting.authority;
  passkeys = waiting.passkeys && hasPasskeys();
  askWho();
}

function askWho() {
  const box = (id, more) => h("input", { id, required: true, value: said[id], ...more });
  const authority = box("authority", { maxlength: 200, autocomplete: "organization", "data-wrong": "Write what the authority is called." });
  const name = box("name", { maxlength: 200, autocomplete: "name", "data-wrong": "Write your name." });
  const email = box("email", { type: "email", maxlength: 254, autocomplete: "username", "data-wrong": "Write your e-mail address." });
  step(1, "Who you are", "You will be the first administrator: you let others in, and say what they may do.",
    [field("What is the authority called?", authority, "It stands on every page: “Example Borough”."), field("Your name", name), field("Your e-mail address", email)], "Go on", () => {
      Object.assign(said, { authority: authority.value.trim(), name: name.value.trim(), email: email.value.trim() });
      askHow();
    });
}

function askHow() {
  if (!passkeys) return withPassword();
  step(2, "How you sign in", "A passkey is kept by this device or your password manager. It opens with a finger, a face or a PIN, and nobody can guess or steal it by e-mail.",
    [], "Make a passkey", async () => {
      const { opening, options } = await send("/v1/setup/passkey-options", about());
      await finish({ passkey: { opening, credential: await make(options), name: deviceName() } });
    },
    h("button", { class: "button wide", type: "button", onclick: withPassword }, "Use a password and an app instead"), back());
}

const about = () => ({ setup_code: said.setup_code, name: said.name, email: said.email });
const back = () => h("p", {}, h("button", { class: "link", type: "button", onclick: askWho }, "Back"));

function withPassword() {
  const password = h("input", { id: "password", type: "password", required: true, minlength: 12, maxlength: 1000, autocomplete: "new-password", "data-wrong": "The password needs at least 12 characters." });
  const again = h("input", { id: "again", type: "password", required: true, maxlength: 1000, autocomplete: "new-password", "data-wrong": "Write the password again." });
  step(2, "How you sign in", passkeys ? "With a password, and a code that an app on your phone shows." : "With a password, and a code that an app on your phone shows. Passkeys need the service to be opened by https, or on this machine at http://localhost.",
    [field("Password", password, "At least 12 characters. A few words in a row are easy to remember and hard to guess."), field("Password again", again)], "Go on", async () => {
      if (password.value !== again.value) throw new Error("The two passwords are not the same.");
      withApp(password.value, await send("/v1/setup/second-step", about()));
    },
    passkeys && h("button", { class: "button wide", type: "button", onclick: askHow }, "Use a passkey instead"), back());
}

function withApp(password, begun) {
  const { code, body } = appCode(begun);
  step(2, "Your authenticator app", "Scan this with an authenticator app on your phone, then write the six figures it shows.", body,
    "Finish", () => finish({ password: { password, opening: begun.opening, code: code.value } }),
    h("p", {}, h("button", { class: "link", type: "button", onclick: withPassword }, "Back to the password")));
}

async function finish(way) {
  const done = await send("/v1/setup", { ...about(), authority: said.authority, ...way });
  if (!done.recovery_codes.length) return location.assign(done.lands_on);
  const sure = h("input", { type: "checkbox", id: "sure", required: true, "data-wrong": "Keep the codes first, then say so." });
  step(3, "Your recovery codes", `${said.authority} is set up, and you are signed in. Keep these codes somewhere safe: each stands in for the app’s figures once, if you lose your phone.`,
    [codeList(done.recovery_codes), keeping(done.recovery_codes),
      h("p", { class: "sure" }, sure, h("label", { for: "sure" }, KEPT))],
    "Begin", () => location.assign(done.lands_on));
}

/** The code behind the # goes to nobody: it is read here, and taken off the address. */
async function start() {
  const code = decodeURIComponent(location.hash.slice(1));
  if (code) history.replaceState(null, "", "/setup");
  if (!code) return askCode();
  try {
    await begin(code);
  } catch (problem) {
    askCode(problem.message);
  }
}

start();
