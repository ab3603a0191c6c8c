// Asking the server, and saying in plain words what went wrong.

export class Problem extends Error {
  constructor(status, title, detail) {
    super(detail || title);
    this.status = status;
  }
}

export async function ask(method, url, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(url, {
      method,
      headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Problem(0, "The service did not answer. Nothing was changed; try again in a moment.");
  }
  if (answer.status === 401) {
    location.assign(`/?next=${encodeURIComponent(location.pathname + location.search)}`);
    await new Promise(() => {});
  }
  const said = answer.headers.get("content-type")?.includes("json") ? await answer.json() : {};
  if (!answer.ok) throw new Problem(answer.status, said.title ?? `The service answered ${answer.status}.`, said.detail);
  return said;
}
