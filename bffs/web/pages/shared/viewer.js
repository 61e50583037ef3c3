// Who is signed in, and the credentials of each client.
import { isObject } from "./answer.js";
import { loadConfig, ROOT } from "./config.js";
import { forgetViewers } from "./saved.js";

const LAST = "shop:viewer"; // for the time without a network; its change is how other tabs notice a sign-out
const CHOSEN = "shop:demo-customer"; // with BFF_AUTH=demo: who was chosen; empty after a sign-out
/** Set once anyone has been signed in: the start page signs in a customer by itself only before that. */
export const VISITED = "shop:visited";
const PAGE = { "X-CSRF": "1" };
const RENEW_MS = 30_000;
const PROVIDER_MS = 1_500;
/** In the address of the start page: this shop has signed out, its provider could not. */
export const ONLY_HERE = "signed_out";
const USER_TIMEOUT_MS = 10_000;
const TOKEN_TIMEOUT_MS = 8_000; // less than that of an answer, so that the reason is known
let shown; // the id of the customer whom this page shows, null for an anonymous viewer
let isChecking = false;
let checked = Promise.resolve(true); // whether that is still the one who is signed in

/**
 * Returns {auth, customer, isOffline, problem}: `customer` is {id, name}, or null for an anonymous viewer.
 * Without a network it is the one who was signed in last. `problem` is null, or why sign-in does not work.
 */
export async function loadViewer() {
  const config = await loadConfig();
  if (config.auth === "demo") return remember({ auth: "demo", customer: chosen(config), isOffline: false, problem: null });
  const { customer, problem } = await askUser(config);
  const isOffline = customer === undefined;
  if (!isOffline) return remember({ auth: "session", customer, isOffline, problem: null });
  shown = last()?.id ?? null;
  return { auth: "session", customer: last(), isOffline, problem };
}

// Reads whose session this browser has: `customer` is null for an anonymous viewer, undefined if there is no answer.
async function askUser(config) {
  try {
    const signal = AbortSignal.timeout(USER_TIMEOUT_MS);
    const response = await fetch(`${ROOT}/bff/user?anonymous=ok`, { headers: PAGE, signal });
    if (response.status === 401) return { customer: null };
    const user = await response.json().catch((error) => (error.name === "TimeoutError" ? Promise.reject(error) : undefined));
    if (!response.ok) return { problem: typeof user?.title === "string" ? user.title : `Status ${response.status}` };
    if (user === null) return { customer: null }; // an anonymous viewer, too
    if (typeof user?.subject !== "string") return { problem: "The answer could not be read" };
    const name = isObject(user.claims) && typeof user.claims.name === "string" ? user.claims.name : nameIn(config, user.subject);
    return { customer: { id: user.subject, name } };
  } catch (error) {
    return { problem: error.name === "TimeoutError" ? "The gateway took too long" : null }; // null: no network
  }
}

function chosen(config) {
  const id = localStorage.getItem(CHOSEN);
  return id ? { id, name: nameIn(config, id) } : null;
}

function nameIn(config, id) {
  return config.customers.find((one) => one.id === id)?.name ?? `Customer ${id}`;
}

function last() {
  try {
    const found = JSON.parse(localStorage.getItem(LAST));
    return typeof found?.id === "string" && typeof found.name === "string" ? found : null;
  } catch {
    return null;
  }
}

function remember(viewer) {
  shown = viewer.customer?.id ?? null;
  const text = JSON.stringify(viewer.customer);
  if (localStorage.getItem(LAST) !== text) localStorage.setItem(LAST, text);
  forgetViewers({ except: viewer.customer?.id ?? null });
  if (viewer.customer) localStorage.setItem(VISITED, "1");
  return viewer;
}

/**
 * Calls `changed()` when this page shows another customer than the one who is signed in by now: another page of this
 * shop signed in or out, or an address without scripts did. That is looked up when the page becomes visible again.
 */
export function onViewerChange(changed) {
  addEventListener("storage", ({ key, oldValue, newValue }) => {
    if ([LAST, CHOSEN].includes(key) && oldValue !== newValue) changed();
  });
  const check = async () => {
    if (document.hidden || isChecking) return;
    isChecking = true;
    checked = isStillShown().finally(() => (isChecking = false));
    if (!(await checked)) changed();
  };
  for (const name of ["pageshow", "focus", "online"]) addEventListener(name, (event) => (name === "pageshow" && !event.persisted) || check());
  document.addEventListener("visibilitychange", check);
}

/** Whether answers may still be shown: false while the page is about to change its customer. */
export const mayShow = () => checked;

// Whether the customer whom this page shows is the one who is signed in; also true if no answer comes.
async function isStillShown() {
  const config = await loadConfig();
  const { customer } = config.auth === "demo" ? { customer: chosen(config) } : await askUser(config);
  return customer === undefined || shown === undefined || (customer?.id ?? null) === shown;
}

const REFUSALS = {
  access_denied: "The sign-in was refused, or cancelled.",
  sign_in_expired: "The sign-in took too long, or was begun in another browser. Please sign in again.",
  unmet_authentication_requirements: "This needs a stronger sign-in.",
  provider_unavailable: "The identity provider does not answer.",
  store_unavailable: "The store of sessions does not answer.",
  deadline_exceeded: "The identity provider took too long.",
};

/** Returns why a sign-in did not work, in words of our own, from `?login_error=` of an address; "" if none did. */
export function sayRefusal(search = location.search) {
  const reason = new URLSearchParams(search).get("login_error");
  if (!reason) return "";
  return Object.hasOwn(REFUSALS, reason) ? REFUSALS[reason] : "The sign-in did not work.";
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
 * if the provider does not answer. What was stored of customers is removed.
 */
export async function signOut() {
  const { auth, identity } = await loadConfig();
  let next = `${ROOT}/`;
  if (auth === "demo") localStorage.setItem(CHOSEN, "");
  else {
    const signal = AbortSignal.timeout(USER_TIMEOUT_MS);
    const response = await fetch(`${ROOT}/bff/logout`, { method: "POST", headers: PAGE, signal }).catch((error) => {
      throw new Error(`Sign-out did not work: the gateway ${error.name === "TimeoutError" ? "took too long" : "does not answer"}`);
    });
    if (!response.ok && response.status !== 401) throw new Error(`Sign-out did not work: status ${response.status}`);
    forgetViewers(); // at once: the provider may take its time
    const answer = await response.json().catch(() => null);
    if (response.ok && typeof answer?.location === "string") next = await afterSignOut(answer.location, identity);
  }
  forgetViewers();
  localStorage.setItem(LAST, "null");
  return next;
}

// The gateway names its own home page if the provider did not say where its session is ended.
async function afterSignOut(next, identity) {
  if (!URL.canParse(next, location.origin)) return `${ROOT}/`;
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
  let asking = null; // requests that begin together share one token
  const headers = async () => {
    const { auth, identity } = await loadConfig();
    if (auth === "demo") return customer ? { ...PAGE, Authorization: `Bearer demo-${customer}` } : PAGE;
    if (client === "web") return PAGE;
    if (!customer) return {};
    if (!token || Date.now() > token.until) {
      asking ??= requestToken(identity, client, customer).finally(() => (asking = null));
      token = await asking;
    }
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
  if (!identity) throw new NoToken("The address of the identity provider is not configured (SHOP_IDENTITY_URL)");
  const body = new URLSearchParams({ client_id: client, customer });
  const signal = AbortSignal.timeout(TOKEN_TIMEOUT_MS);
  const late = (error) => {
    if (error.name === "TimeoutError") throw new NoToken("The identity provider took too long");
    return error;
  };
  const response = await fetch(`${identity}/demo/token`, { method: "POST", body, credentials: "omit", signal }).catch((error) => {
    if (globalThis.navigator?.onLine === false) throw late(error); // the device is offline: that is what a client says then
    late(error);
    return null;
  });
  if (!response) throw new NoToken("The identity provider does not answer");
  if (!response.ok) throw new NoToken(`The identity provider refused a token (status ${response.status})`);
  const answer = await response.json().catch((error) => late(error) && null);
  if (typeof answer?.access_token !== "string") throw new NoToken("The answer of the identity provider could not be read");
  const { access_token: value, expires_in: given, scope } = answer;
  const seconds = Number.isFinite(given) ? given : 60;
  const scopes = new Set(String(scope ?? "").split(" "));
  return { value, scopes, until: Date.now() + seconds * 1000 - Math.min(RENEW_MS, seconds * 500) };
}
