// The words of settings: what a code, a way in or an entry of the audit is called on these pages.

import { capital, label } from "../strings.js";

/** Every role: {role, words, of_provider}. The server's list, because the doors are the server's. */
export const ROLES = JSON.parse(document.body.dataset.roles ?? "[]");

export const roleWords = (role) => ROLES.find((one) => one.role === role)?.words ?? plain(role);

// scope of a key -> [title, what a system with it may do]
export const SCOPES = {
  ingest: ["Send check-ins", "A telephone gateway or another system that reports check-ins and check-outs."],
  read: ["Read visits and actuals", "A reporting or finance system. It sees every provider, and no full address."],
  import: ["Import data", `A rostering system that sends ${label.visits}, people and care workers.`],
};

// way of signing in -> words
export const WAYS = {
  passkey: "Passkey",
  oidc: "Council’s sign-in",
  password_totp: "Password and code",
  password: "Password",
  recovery: "Recovery code",
};

// what needs doing -> [(n) => title, why, tone, what its button says]
export const NEEDS = {
  second_administrator: [() => "There is only one administrator", "If that person is ill or loses their phone, nobody can let others in. Make a second one.", "warning", "Add somebody"],
  nothing_imported: [() => "No provider is known yet", "Import providers, care workers, people and planned visits; the README says how. Until then nobody can check in.", "information", "Make a key for the import"],
  one_way_in: [(n) => (n === 1 ? "One person signs in with a password alone" : `${n} people sign in with a password alone`), "A stolen password is then enough. Ask them to set up a passkey or a code on their own page.", "warning", "See who"],
  temporary_passwords: [(n) => (n === 1 ? "One person has not chosen a password yet" : `${n} people have not chosen a password yet`), "They were given one to begin with and have not changed it.", "information", "See who"],
  phones_silent: [(n) => (n === 1 ? "One phone has been silent for 14 days" : `${n} phones have been silent for 14 days`), "It may be lost, or in a drawer. Ask its holder; cut it off if nobody knows.", "warning", "See which"],
  phones_of_leavers: [(n) => (n === 1 ? "One phone belongs to somebody who has left" : `${n} phones belong to people who have left`), "Cut it off.", "warning", "See which"],
  keys_unused: [(n) => (n === 1 ? "One key has not been used for 90 days" : `${n} keys have not been used for 90 days`), "A key nobody needs is a door nobody watches. Revoke it.", "warning", "See which"],
};

/** "alert_acknowledged" as people say it. */
export const plain = (code) => capital(String(code).replaceAll("_", " "));
