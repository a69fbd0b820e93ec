// The API, with the operator's key. The key is in this module's memory and nowhere else: no storage, no URL, no cookie.
// Leaving or reloading the page forgets it.

let key = null;

const ROOT = new URL("../", import.meta.url);

/** Tells `lost` when the API no longer takes the key, with its words as `detail`, and `found` when there is one again. */
export const session = new EventTarget();

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

/** Whether what was asked for was given up on this side, as nobody looks any more: nothing to tell. */
export const isGivenUp = (fault) => fault?.name === "AbortError";

/** JSON that goes out as it was typed, so that no number loses a digit on the way. */
export class Raw {
  /** Throws where it is no JSON. */
  constructor(text) {
    JSON.parse(text);
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
export async function signIn(typed, signal) {
  // A header takes nothing else; said here, as the browser's own words would be about bytes.
  if (!/^[\x21-\x7e]+$/.test(typed)) throw new Error("A key is one line of visible ASCII characters.");
  await ask(typed, "GET", ["projects"], { query: { limit: 1 }, signal });
  key = typed;
  session.dispatchEvent(new Event("found"));
}

export const get = (path, query, signal) => call("GET", path, { query, signal });
export const post = (path, body, signal) => call("POST", path, { body, signal });

/** A list's `[items, next]`. */
export async function page(path, field, query, signal) {
  const answer = await get(path, query, signal);
  return [answer[field] ?? [], answer.next ?? null];
}

/** The answer's JSON; with `whole`, `{body, text, etag}`, where `text` is the JSON as it came. */
export async function call(method, path, how = {}) {
  const mine = key;
  if (mine === null) throw new DOMException("There is no key.", "AbortError");
  try {
    return await ask(mine, method, path, how);
  } catch (fault) {
    // Not where another key was given meanwhile.
    if (fault.status === 401 && key === mine) {
      forget();
      session.dispatchEvent(new CustomEvent("lost", { detail: fault.message }));
    }
    throw fault;
  }
}

async function ask(mine, method, path, { query = {}, body, etag, whole = false, signal }) {
  const url = new URL(`v1/${path.map(encodeURIComponent).join("/")}`, ROOT);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  }
  const headers = { Authorization: `Bearer ${mine}`, Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (etag !== undefined) headers["If-Match"] = etag;
  let answer;
  let text;
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
    text = await answer.text();
  } catch (fault) {
    if (isGivenUp(fault)) throw fault;
    throw new Error("Flagpost cannot be reached.");
  }
  let said = null;
  try {
    said = text === "" ? null : JSON.parse(text);
  } catch {
    if (answer.ok) throw new Error("The answer is not JSON.");
  }
  if (!answer.ok) throw new Refused(answer.status, said ?? {}, Number(answer.headers.get("Retry-After")) || null);
  return whole ? { body: said, text, etag: answer.headers.get("ETag") } : said;
}
