// The one way the page talks to the service: JSON over fetch, and the event stream.

export class Refused extends Error {
  constructor(readonly status: number, message: string, readonly word = "") {
    super(message);
  }
}

/** Calls the service. body: sent as JSON, a form as it is. version: what was read; an older one is refused. */
export async function call<T>(path: string, method = "GET", body?: unknown, version?: number): Promise<T> {
  const isForm = body instanceof FormData;
  const headers: Record<string, string> = {};
  if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  const answer = await fetch(path, {
    method,
    credentials: "same-origin",
    headers,
    body: body === undefined ? undefined : isForm ? body : JSON.stringify(body),
  });
  if (!answer.ok) {
    const said = await answer.json().catch(() => null);
    throw new Refused(answer.status, said?.message ?? answer.statusText, said?.error ?? "");
  }
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export type Handlers = Record<string, (row: never) => void>;

/** Opens the event stream; the browser reconnects by itself and names the last event it saw. */
export function listen(handlers: Handlers, connected: (yes: boolean) => void): () => void {
  const source = new EventSource("/v1/events");
  source.onopen = () => connected(true);
  source.onerror = () => connected(false);
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (event) => handle(JSON.parse((event as MessageEvent).data) as never));
  }
  return () => source.close();
}
