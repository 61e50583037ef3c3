// The address: which page is shown, and its state. All state that a reader would share is here.
import { computed, signal } from "@preact/signals";

/** What a proxy or a mount has before `/console`. */
const PREFIX = document.documentElement.dataset.prefix ?? "";

export const ROOT = `${PREFIX}/console`;

/** The page's title, what it answers to `g`, and whether only `bff dev` has it, which runs the processes. */
export const PAGES = {
  overview: { title: "Overview", key: "o", group: "Observe" },
  requests: { title: "Requests", key: "r", group: "Observe" },
  screens: { title: "Screens", key: "s", group: "Observe" },
  upstreams: { title: "Upstreams", key: "u", group: "Observe" },
  faults: { title: "Faults", key: "f", group: "Work", runOnly: true },
  api: { title: "API", key: "a", group: "Work" },
  logs: { title: "Logs", key: "l", group: "Work", runOnly: true },
  sessions: { title: "Sessions, sagas", key: "t", group: "Work" },
};

const address = signal(new URL(location.href));

/** `requests` of `/console/requests/317787c320d9?state=degraded`. */
export const page = computed(() => segments()[0] || "overview");

/** `317787c320d9` of the same address, empty without one. */
export const subject = computed(() => segments()[1] ?? "");

/** The part of the address after `?`, as URLSearchParams. Read only. */
export const query = computed(() => address.value.searchParams);

function segments() {
  return address.value.pathname.slice(ROOT.length).split("/").filter(Boolean).map(decodeURIComponent);
}

/** The address of a page: `hrefOf("requests", { subject: id, query: { state: "degraded" } })`. */
export function hrefOf(name, { subject: id = "", query: fields = {} } = {}) {
  const search = new URLSearchParams(Object.entries(fields).filter(([, value]) => isSet(value)));
  const path = [ROOT, name, id && encodeURIComponent(id)].filter(Boolean).join("/");
  return search.size ? `${path}?${search}` : path;
}

/** The address of a path that the server names, which begins with `/console`. */
export function placed(path) {
  return path.startsWith("/console") ? `${PREFIX}${path}` : path;
}

function isSet(value) {
  return value !== "" && value !== null && value !== undefined && value !== false;
}

/** Opens an address of the console; `replace` leaves no entry in the history. */
export function go(href, { replace = false } = {}) {
  const next = new URL(href, location.href);
  if (next.href === location.href) return;
  history[replace ? "replaceState" : "pushState"](null, "", next);
  address.value = next;
}

/** Changes fields of the address' query and leaves the others; empty values are removed. */
export function setQuery(fields, { replace = true } = {}) {
  const next = new URL(address.value);
  for (const [name, value] of Object.entries(fields)) {
    if (isSet(value)) next.searchParams.set(name, value === true ? "1" : value);
    else next.searchParams.delete(name);
  }
  go(next, { replace });
}

function followLink(event) {
  const link = event.target.closest?.("a[href]");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
  const url = new URL(link.getAttribute("href"), location.href); // links in SVG have no text as .href
  const isOurs = url.origin === location.origin && (url.pathname === ROOT || url.pathname.startsWith(`${ROOT}/`));
  if (!isOurs || url.pathname.startsWith(`${ROOT}/api/`) || (url.hash && url.pathname === location.pathname)) return;
  event.preventDefault();
  go(url);
}

export function startRouter() {
  addEventListener("popstate", () => (address.value = new URL(location.href)));
  document.addEventListener("click", followLink);
}
