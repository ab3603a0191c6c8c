// Choosing one of a provider's care workers: the provider first, where there are several, then the name.

import { h } from "../dom.js";
import { field } from "../dialogs.js";
import { all } from "../settings/parts.js";

export function workerFields(providers) {
  const provider = h("select", { id: "provider", required: true, "data-wrong": "Choose the provider." }, providers.length > 1 && h("option", { value: "" }, "Choose…"), providers.map(({ ref, name }) => h("option", { value: ref }, `${name} (${ref})`)));
  const worker = h("select", { id: "worker", required: true, "data-wrong": "Choose the care worker." });
  const said = h("p", { class: "quiet small", role: "status" });
  const holder = field("Care worker", worker, "Type the first letters to find a name.");
  const offer = (...options) => worker.replaceChildren(...options.map(([value, words]) => h("option", { value }, words)));
  const read = async () => {
    const asked = provider.value;
    if (!asked) return offer(["", "Choose the provider first"]);
    offer(["", "Loading…"]);
    try {
      const workers = await all(`/v1/care-workers?provider=${encodeURIComponent(asked)}`);
      if (asked !== provider.value) return;
      workers.sort((a, b) => a.name.localeCompare(b.name));
      offer(["", workers.length ? "Choose…" : "This provider has no care worker yet"], ...workers.map(({ ref, name }) => [ref, `${name} (${ref})`]));
    } catch (problem) {
      offer(["", "Could not be read"]);
      said.textContent = problem.message;
    }
  };
  provider.addEventListener("change", read);
  read();
  return {
    provider, worker, fields: [field("Provider", provider), holder, said],
    offerWorkers: (wanted) => {
      holder.hidden = worker.hidden = !wanted;
      worker.required = wanted;
    },
  };
}
