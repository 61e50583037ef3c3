// Which screen an address means: paths below a base, or the part after #.

/**
 * Finds the route of a path: match([["/product/:id", show]], "/product/7") is {route, params: {id: "7"}}.
 * A last segment `*` takes the rest. Returns null if there is none, as of a path with an empty segment ("/a//b").
 */
export function match(routes, path) {
  if (path.includes("//")) return null;
  const given = segmentsOf(path);
  for (const route of routes) {
    const params = paramsOf(segmentsOf(route[0]), given);
    if (params) return { route, params };
  }
  return null;
}

function segmentsOf(path) {
  return path.split("/").filter(Boolean);
}

function paramsOf(pattern, given) {
  const isOpen = pattern.at(-1) === "*";
  if (isOpen ? given.length < pattern.length - 1 : given.length !== pattern.length) return null;
  const params = {};
  for (const [at, name] of pattern.entries()) {
    if (name === "*") params.rest = given.slice(at).map(decode).join("/");
    else if (name.startsWith(":")) params[name.slice(1)] = decode(given[at]);
    else if (name !== given[at]) return null;
  }
  return params;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Reads "/search?q=a" as {path: "/search", query}; also what is no URL, such as "//" or "//[". */
export function addressOf(text) {
  const [path, ...rest] = text.split("#")[0].split("?");
  return { path: path.startsWith("/") ? path : `/${path}`, query: new URLSearchParams(rest.join("?")) };
}

/**
 * Creates a router: createRouter({base: "/store", routes: [["/", home], ["/product/:id", product]], missing}).
 *
 * Without `base` the addresses are hashes (#/product/7). A route's function gets {params, query, path} with
 * each change of the address; `missing` is for all other paths. `start()` shows the present address; `go(path)`
 * opens another one; `href(path)` is for links; `again()` shows the present one once more.
 */
export function createRouter({ base = null, routes, missing }) {
  const isHash = base === null;

  function here() {
    return addressOf(isHash ? location.hash.slice(1) : location.pathname.slice(base.length) + location.search);
  }

  function again() {
    const { path, query } = here();
    const found = match(routes, path);
    return found ? found.route[1]({ params: found.params, query, path }) : missing({ params: {}, query, path });
  }

  const href = (path) => (isHash ? `#${path}` : `${base}${path}`);

  function go(path, { isReplaced = false } = {}) {
    const isSame = href(path) === (isHash ? location.hash : location.pathname + location.search);
    history[isReplaced || isSame ? "replaceState" : "pushState"](null, "", href(path));
    scrollTo(0, 0);
    return again();
  }

  function follow(event) {
    const link = event.target.closest?.("a[href]");
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
    const path = pathOf(link);
    if (path === null) return;
    event.preventDefault();
    go(path);
  }

  function pathOf(link) {
    const written = link.getAttribute("href");
    if (isHash) return written.startsWith("#/") ? written.slice(1) : null;
    if (!URL.canParse(link.href)) return null;
    const url = new URL(link.href);
    const isOurs = url.origin === location.origin && `${url.pathname}/`.startsWith(`${base}/`);
    return isOurs && !written.startsWith("#") ? url.pathname.slice(base.length) + url.search : null;
  }

  function start() {
    addEventListener("popstate", again);
    document.addEventListener("click", follow);
    return again();
  }

  return { start, go, href, again };
}
