// Asking the server, and saying in plain words what went wrong.

export class Problem extends Error {
  constructor(status, title, detail, kind) {
    super(detail || title);
    this.status = status;
    this.kind = kind; // RFC 9457's type, such as /problems/step-up-needed
  }
}

const AT_MOST_MS = 30_000;

/** The answer's JSON. Raises Problem; whoever is signed out is led to the door, unless `stay`. */
export async function ask(method, url, body, headers = {}, { stay = false, within = AT_MOST_MS } = {}) {
  let answer;
  try {
    answer = await fetch(url, {
      method,
      signal: AbortSignal.timeout(within),
      headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Problem(0, "The service did not answer. Nothing was changed; try again in a moment.");
  }
  if (answer.status === 401 && !stay) {
    location.assign(`/?sign_in=again&next=${encodeURIComponent(location.pathname + location.search)}${location.hash}`);
    await new Promise(() => {});
  }
  const said = answer.headers.get("content-type")?.includes("json") ? await answer.json().catch(() => ({})) : {};
  if (!answer.ok) throw new Problem(answer.status, said.title ?? `The service answered ${answer.status}.`, said.detail, said.type);
  return said;
}
