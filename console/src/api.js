// Requests to the console's own API. Errors are problems: {title, detail, status}.
import { ROOT } from "./router.js";

export const API = `${ROOT}/api`;

/** What went wrong, in the words of the server; `detail` says what to do. */
class Problem extends Error {
  constructor(title, detail, status = 0) {
    super(title);
    this.title = title;
    this.detail = detail;
    this.status = status;
  }
}

/** `await get("requests", { gateway: "web" })` is the parsed answer of GET /console/api/requests?gateway=web. */
export function get(path, fields = {}, { signal } = {}) {
  return send("GET", path, { fields, signal });
}

/** The answer as text, for what is not JSON. */
export function getText(path) {
  return send("GET", path, { read: (answer) => answer.text() });
}

export function post(path, body = {}) {
  return send("POST", path, { body });
}

export function put(path, body) {
  return send("PUT", path, { body });
}

export function remove(path) {
  return send("DELETE", path, { body: {} });
}

async function send(method, path, { fields = {}, body, signal, read = (answer) => answer.json() } = {}) {
  const search = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== "" && value != null));
  const url = `${API}/${path}${search.size ? `?${search}` : ""}`;
  const headers = { Accept: "application/json" };
  if (body !== undefined) Object.assign(headers, { "Content-Type": "application/json", "X-BFF-Console": "1" });
  let answer;
  try {
    answer = await fetch(url, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body), keepalive: method === "PUT" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The console does not answer", "It may be restarting. Look at the terminal that runs it.");
  }
  if (answer.status === 401) location.reload(); // the session has ended: the page is the sign-in form
  return answer.ok ? read(answer) : Promise.reject(await problemOf(answer));
}

async function problemOf(answer) {
  const text = await answer.text();
  try {
    const { title, detail } = JSON.parse(text);
    return new Problem(title ?? `HTTP ${answer.status}`, detail ?? "", answer.status);
  } catch {
    return new Problem(`The console answered ${answer.status}`, text.slice(0, 200), answer.status);
  }
}
