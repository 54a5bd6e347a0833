/** Requests to our own server and to no other. */

/** The answer was not one of success. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The absolute address, or null where it leads to another host or is none. */
export function ownAddress(url: string): string | null {
  try {
    const whole = new URL(url, document.baseURI);
    return whole.origin === location.origin ? whole.href : null;
  } catch {
    return null;
  }
}

export interface Ask {
  method?: "GET" | "POST";
  body?: unknown;
  signal?: AbortSignal;
}

/**
 * Asks for JSON. A body is sent as JSON; what changes something carries the token of
 * `<meta name="csrf-token">`, or of the hidden field `_csrf` of any form, as `X-CSRF-Token`. Throws `Refused` with the words of the server's problem
 * document where there is one; status 0 is for no answer at all.
 */
export async function askJson(url: string, { method = "GET", body, signal }: Ask = {}): Promise<unknown> {
  const address = ownAddress(url);
  if (address === null) throw new Refused(0, `${url} is not an address of this site`);
  const headers = new Headers({ Accept: "application/json" });
  const init: RequestInit = { method, headers, credentials: "same-origin", redirect: "error" };
  if (method !== "GET") {
    const token =
      document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ??
      document.querySelector<HTMLInputElement>('input[type="hidden"][name="_csrf"]')?.value;
    if (token) headers.set("X-CSRF-Token", token);
  }
  if (body !== undefined) {
    headers.set("Content-Type", "application/json");
    init.body = JSON.stringify(body);
  }
  if (signal) init.signal = signal;
  let answer: Response;
  try {
    answer = await fetch(address, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused(0, String(error));
  }
  const text = await answer.text();
  let read: unknown = null;
  try {
    read = text ? JSON.parse(text) : null;
  } catch {
    if (answer.ok) throw new Refused(answer.status, "the answer is not JSON");
  }
  if (!answer.ok) {
    const problem = (read ?? {}) as { detail?: unknown; title?: unknown };
    const said = [problem.detail, problem.title].find((part) => typeof part === "string");
    throw new Refused(answer.status, (said as string | undefined) ?? answer.statusText);
  }
  return read;
}
