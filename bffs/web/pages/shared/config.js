// Where the gateways are: `/shop.json`, and the path that the pages are below.
import { hasMembers } from "./answer.js";

/** The path of the web gateway without a slash at its end: "" or "/shop". */
export const ROOT = globalThis.document?.documentElement.dataset.root?.replace(/\/$/, "") ?? "";

const SAVED = "shop:config";
const TIMEOUT_MS = 10_000;
let loading = null;

/**
 * Returns {auth, mobile, desktop, identity, console, customers, services}; without a network the one
 * that was read last. Rejects if there is none.
 */
export function loadConfig() {
  loading ??= read().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function read() {
  try {
    return await readNow();
  } catch (error) {
    const saved = savedConfig();
    if (!saved) throw error;
    return saved;
  }
}

async function readNow() {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(`${ROOT}/shop.json`, { credentials: "omit", signal }).catch((error) => {
    throw new TypeError(error.name === "TimeoutError" ? "The configuration of the shop took too long" : "The shop does not answer");
  });
  if (!response.ok) throw new TypeError(`The configuration of the shop could not be loaded: status ${response.status}`);
  const config = await response.json().catch(() => null);
  if (!isConfig(config)) throw new TypeError("The configuration of the shop could not be read");
  localStorage.setItem(SAVED, JSON.stringify(config));
  return config;
}

function savedConfig() {
  try {
    const config = JSON.parse(localStorage.getItem(SAVED));
    return isConfig(config) ? config : null;
  } catch {
    return null;
  }
}

function isConfig(value) {
  return hasMembers(value, ["auth", "customers[]", "services[]"]);
}

const MISSING = {
  mobile: "The address of the mobile gateway is not configured (SHOP_MOBILE_URL).",
  desktop: "The address of the desktop gateway is not configured (SHOP_DESKTOP_URL).",
  identity: "The address of the identity provider is not configured (SHOP_IDENTITY_URL).",
};

/** Returns why a client can't call what it needs: missingAddress(config, "mobile"); null if it can. */
export function missingAddress(config, gateway) {
  if (!config[gateway]) return MISSING[gateway];
  return config.auth === "session" && !config.identity ? MISSING.identity : null;
}
