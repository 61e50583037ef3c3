// Who is signed in, and the credentials of each client.
import { loadConfig, ROOT } from "./config.js";
import { forgetScreens } from "./saved.js";

const LAST = "shop:viewer"; // for the time without a network; its change is how other tabs notice a sign-out
const CHOSEN = "shop:demo-customer"; // with BFF_AUTH=demo: who was chosen; empty after a sign-out
/** Set once anyone has been signed in: the start page signs in a customer by itself only before that. */
export const VISITED = "shop:visited";
const PAGE = { "X-CSRF": "1" };
const RENEW_MS = 30_000;
const PROVIDER_MS = 1_500;
/** In the address of the start page: this shop has signed out, its provider could not. */
export const ONLY_HERE = "signed_out";

/**
 * Returns {auth, customer, isOffline, problem}: `customer` is {id, name}, or null for an anonymous viewer.
 * Without a network it is the one who was signed in last. `problem` is null, or why sign-in does not work.
 */
export async function loadViewer() {
  const config = await loadConfig();
  if (config.auth === "demo") return remember({ auth: "demo", customer: chosen(config), isOffline: false, problem: null });
  let response;
  try {
    response = await fetch(`${ROOT}/bff/user?anonymous=ok`, { headers: PAGE });
  } catch {
    return { auth: "session", customer: last(), isOffline: true, problem: null };
  }
  if (!response.ok && response.status !== 401) {
    const problem = await response.json().catch(() => ({}));
    return { auth: "session", customer: last(), isOffline: true, problem: problem.title ?? `Status ${response.status}` };
  }
  const user = response.ok ? await response.json() : null; // it is null for an anonymous viewer, too
  const customer = user && { id: user.subject, name: user.claims.name ?? nameIn(config, user.subject) };
  return remember({ auth: "session", customer, isOffline: false, problem: null });
}

function chosen(config) {
  const id = localStorage.getItem(CHOSEN);
  return id ? { id, name: nameIn(config, id) } : null;
}

function nameIn(config, id) {
  return config.customers.find((one) => one.id === id)?.name ?? `Customer ${id}`;
}

function last() {
  return JSON.parse(localStorage.getItem(LAST) ?? "null");
}

function remember(viewer) {
  const text = JSON.stringify(viewer.customer);
  if (localStorage.getItem(LAST) !== text) localStorage.setItem(LAST, text);
  forgetScreens({ except: viewer.customer?.id ?? null });
  if (viewer.customer) localStorage.setItem(VISITED, "1");
  return viewer;
}

/** Calls `changed()` when another page of this shop signs in or out. */
export function onViewerChange(changed) {
  addEventListener("storage", ({ key, oldValue, newValue }) => {
    if ([LAST, CHOSEN].includes(key) && oldValue !== newValue) changed();
  });
}

/** Signs a demo customer in, and returns to this page: the browser leaves it meanwhile. */
export async function signIn(customer = "") {
  const { auth } = await loadConfig();
  if (auth === "demo") {
    localStorage.setItem(CHOSEN, customer);
    location.reload();
    return;
  }
  location.href = signInAddress(customer);
}

/** Returns the address that signs in, for links; a page in a frame opens it in the whole window. */
export function signInAddress(customer = "") {
  const here = new URL(location.href);
  for (const name of ["login_error", ONLY_HERE]) here.searchParams.delete(name); // of the try before
  const query = new URLSearchParams({ returnUrl: here.pathname + here.search + here.hash });
  if (customer) query.set("login_hint", customer);
  return `${ROOT}/bff/login?${query}`;
}

/**
 * Signs out here. Returns what to open then: the provider's page that ends its session, too, or the start page
 * if the provider does not answer. The saved screens are removed.
 */
export async function signOut() {
  const { auth, identity } = await loadConfig();
  let next = `${ROOT}/`;
  if (auth === "demo") localStorage.setItem(CHOSEN, "");
  else {
    const response = await fetch(`${ROOT}/bff/logout`, { method: "POST", headers: PAGE });
    if (response.ok) next = await afterSignOut((await response.json()).location, identity);
    else if (response.status !== 401) throw new Error(`Sign-out did not work: status ${response.status}`);
  }
  forgetScreens();
  localStorage.setItem(LAST, "null");
  return next;
}

// The gateway names its own home page if the provider did not say where its session is ended.
async function afterSignOut(next, identity) {
  const isKnown = [identity, location.origin].includes(new URL(next, location.origin).origin);
  return !identity || !isKnown || (await answers(identity)) ? next : `${ROOT}/?${ONLY_HERE}=here`;
}

// What a page of another origin may learn: whether anything comes at all.
async function answers(identity) {
  const options = { mode: "no-cors", credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(PROVIDER_MS) };
  return fetch(`${identity}/.well-known/openid-configuration`, options).then(() => true, () => false);
}

/**
 * Returns what gives each request of a client its credentials: headersOf("web"), of "mobile" or "desktop".
 *
 * A page of the web gateway sends its session cookie. The phone and the back office stand for native apps:
 * they send a token of their own, which this page holds in memory only, and renews before it ends.
 */
export function headersOf(client, customer) {
  let token = null;
  const headers = async () => {
    const { auth, identity } = await loadConfig();
    if (auth === "demo") return customer ? { ...PAGE, Authorization: `Bearer demo-${customer}` } : PAGE;
    if (client === "web") return PAGE;
    if (!customer) return {};
    if (!token || Date.now() > token.until) token = await requestToken(identity, client, customer);
    headers.scopes = token.scopes;
    return { Authorization: `Bearer ${token.value}` };
  };
  headers.scopes = null; // a set, as soon as a token says what it is good for
  // The provider's keys are new after its restart: what it issued before is refused.
  headers.renew = () => {
    const hadToken = token !== null;
    token = null;
    return hadToken;
  };
  return headers;
}

/** The identity provider does not give a token: `code` and `title` are those of the problem. */
export class NoToken extends Error {
  code = "sign_in_unavailable";

  constructor(title) {
    super(title);
    this.title = title;
  }
}

async function requestToken(identity, client, customer) {
  const body = new URLSearchParams({ client_id: client, customer });
  const response = await fetch(`${identity}/demo/token`, { method: "POST", body, credentials: "omit" }).catch((error) => {
    if (navigator.onLine === false) throw error; // the device is offline: that is what a client says then
    return null;
  });
  if (!response) throw new NoToken("The identity provider does not answer");
  if (!response.ok) throw new NoToken(`The identity provider refused a token (status ${response.status})`);
  const { access_token: value, expires_in: seconds = 60, scope = "" } = await response.json();
  return { value, scopes: new Set(scope.split(" ")), until: Date.now() + seconds * 1000 - Math.min(RENEW_MS, seconds * 500) };
}
