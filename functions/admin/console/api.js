// The API, with the operator's key. The key is in this module's memory and nowhere else: no storage, no URL, no cookie.
// Leaving or reloading the page forgets it.

let key = null;

const ROOT = new URL("../", import.meta.url);

/** What the API refused, as problem details say it. */
export class Refused extends Error {
  constructor(status, problem, retryAfter = null) {
    const faults = (problem.errors ?? []).map((fault) => `${fault.field ?? "body"}: ${fault.detail}`);
    super([problem.detail ?? problem.title ?? problem.message ?? `The API answered ${status}.`, ...faults].join("\n"));
    this.status = status;
    /** Seconds, where waiting is enough. */
    this.retryAfter = retryAfter;
    this.type = problem.type;
    this.errors = problem.errors ?? [];
  }
}

/** JSON that goes out as it was typed, so that no number loses a digit on the way. */
export class Raw {
  /** Throws where it is no JSON. */
  constructor(text) {
    this.value = JSON.parse(text);
    this.text = text;
  }
}

const encode = (body) =>
  `{${Object.entries(body)
    .map(([name, value]) => `${JSON.stringify(name)}:${value instanceof Raw ? value.text : JSON.stringify(value)}`)
    .join(",")}}`;

export const signedIn = () => key !== null;
export const forget = () => (key = null);

/** Takes the key if it is one. */
export async function signIn(typed) {
  // A header takes nothing else; said here, as the browser's own words would be about bytes.
  if (!/^[\x21-\x7e]+$/.test(typed)) throw new Error("A key is one line of visible ASCII characters.");
  key = typed;
  try {
    return await get(["projects"], { limit: 1 });
  } catch (fault) {
    key = null;
    throw fault;
  }
}

export const get = (path, query) => call("GET", path, { query });
export const post = (path, body = {}) => call("POST", path, { body });

/** A list's `[items, next]`. */
export async function page(path, field, query) {
  const answer = await get(path, query);
  return [answer[field] ?? [], answer.next ?? null];
}

/** The answer's JSON; with `whole`, `{body, etag}`. */
export async function call(method, path, { query = {}, body, etag, whole = false, signal } = {}) {
  const url = new URL(`v1/${path.map(encodeURIComponent).join("/")}`, ROOT);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  }
  const headers = { Authorization: `Bearer ${key}`, Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (etag !== undefined) headers["If-Match"] = etag;
  let answer;
  try {
    answer = await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : encode(body),
      signal,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Error("Flagpost cannot be reached.");
  }
  const text = await answer.text();
  let said = null;
  try {
    said = text === "" ? null : JSON.parse(text);
  } catch {
    if (answer.ok) throw new Error("The answer is not JSON.");
  }
  if (!answer.ok) throw new Refused(answer.status, said ?? {}, Number(answer.headers.get("Retry-After")) || null);
  return whole ? { body: said, etag: answer.headers.get("ETag") } : said;
}
