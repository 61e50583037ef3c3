// Where the gateways are: `/shop.json`, and the path that the pages are below.

/** The path of the web gateway without a slash at its end: "" or "/shop". */
export const ROOT = globalThis.document?.documentElement.dataset.root?.replace(/\/$/, "") ?? "";

const SAVED = "shop:config";
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
    const response = await fetch(`${ROOT}/shop.json`, { credentials: "omit" }); // no session, no CSRF header
    if (!response.ok) throw new TypeError(`shop.json: status ${response.status}`);
    const config = await response.json();
    localStorage.setItem(SAVED, JSON.stringify(config));
    return config;
  } catch (error) {
    const saved = localStorage.getItem(SAVED);
    if (!saved) throw error;
    return JSON.parse(saved);
  }
}
