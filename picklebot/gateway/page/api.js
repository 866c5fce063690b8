// Asks the daemon over HTTP. The browser's cookie says who asks; nothing here knows a token.

export class Failure extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Fires "signed-out" when the daemon no longer knows this browser. */
export const door = new EventTarget();

const PATIENCE = 30_000; // milliseconds

export function get(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined));
  return ask(query.size ? `${path}?${query}` : path, { method: "GET" });
}

export function post(path, body = {}) {
  return ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

export const part = encodeURIComponent;

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, redirect: "error", signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    const slow = error.name === "TimeoutError";
    throw new Failure(0, slow ? "slow" : "away", slow ? "The daemon took too long to answer." : "The daemon cannot be reached.");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  if (response.status === 401) door.dispatchEvent(new Event("signed-out"));
  const { code = "failed", message = `The daemon answered ${response.status}.` } = answer?.error ?? {};
  throw new Failure(response.status, code, message);
}
