// The service worker of all pages: without a network they still open, with the screens that they saved.
// It stores pages, scripts, styles and pictures, never what gateways answer about a customer.

const VERSION = 2; // another one replaces what older workers stored
const SHELL = `shop-shell-${VERSION}`;
const PICTURES = `shop-pictures-${VERSION}`;
const MOST_PICTURES = 400;
const ROOT = new URL(self.registration.scope).pathname.replace(/\/$/, "");
const PAGES = ["/", "/store/", "/phone/", "/office/"];

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(storeShell());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(removeOldCaches().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || !url.pathname.startsWith(`${ROOT}/`)) return;
  const path = url.pathname.slice(ROOT.length);
  if (path.startsWith("/pictures/")) event.respondWith(picture(request));
  else if (path.startsWith("/pages/")) event.respondWith(networkFirst(request, url.pathname));
  else if (request.mode === "navigate" && pageOf(path)) event.respondWith(networkFirst(request, ROOT + pageOf(path)));
});

/** Returns the page that answers to a path: all paths below /store/ have one. */
function pageOf(path) {
  return path.startsWith("/store/") ? "/store/" : PAGES.find((page) => page === path);
}

// Files and pages are the same for all: without the session's cookie no gateway takes this for a forged request.
function load(url) {
  return fetch(url, { credentials: "omit" });
}

const TYPES = {
  js: /^(text|application)\/javascript\b/,
  css: /^text\/css\b/,
  svg: /^image\/svg\+xml\b/,
  webmanifest: /^application\/(manifest\+)?json\b/,
};

/** Whether an answer is what its name says: a page is HTML, and never the page of a proxy in place of a script. */
function isStorable(response, name) {
  if (PAGES.includes(name.slice(ROOT.length))) return isOf(response, /^text\/html\b/) && !response.redirected;
  const type = TYPES[name.split(".").at(-1)];
  return type !== undefined && isOf(response, type);
}

function isOf(response, type) {
  return response.ok && type.test((response.headers.get("content-type") ?? "").toLowerCase());
}

/** Returns the newest answer; without one, what is stored under the name. */
async function networkFirst(request, name) {
  const shell = await caches.open(SHELL);
  try {
    const response = await load(request.url);
    if (isStorable(response, name)) await shell.put(name, response.clone());
    return response;
  } catch (error) {
    const stored = await shell.match(name);
    if (stored) return stored;
    throw error;
  }
}

/** Returns a picture from the cache; its address changes with what it shows. */
async function picture(request) {
  const pictures = await caches.open(PICTURES);
  const stored = await pictures.match(request);
  if (stored) return stored;
  const response = await load(request.url).catch(() => fetch(request)); // the browser's own cache may have it
  if (isOf(response, /^image\//)) {
    await pictures.put(request, response.clone());
    await removeOldest(pictures);
  }
  return response;
}

async function removeOldest(cache) {
  const requests = await cache.keys();
  const surplus = requests.slice(0, Math.max(0, requests.length - MOST_PICTURES));
  await Promise.all(surplus.map((request) => cache.delete(request)));
}

async function removeOldCaches() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("shop-") && ![SHELL, PICTURES].includes(name));
  await Promise.all(old.map((name) => caches.delete(name)));
}

/** Stores the pages with all files that they name, and that those import. */
async function storeShell() {
  const shell = await caches.open(SHELL);
  const found = new Set(PAGES.map((page) => ROOT + page));
  for (const path of found) {
    const response = await load(path).catch(() => null);
    if (!response || !isStorable(response, path)) continue;
    await shell.put(path, response.clone());
    const text = await response.text();
    for (const other of filesIn(text, new URL(path, location.origin))) found.add(other);
  }
}

function filesIn(text, base) {
  const named = text.matchAll(/\b(?:(?:src|href)=|from\s+|import\s*\(?\s*)"([^"]+\.(?:js|css|svg|webmanifest))"/g);
  const urls = Array.from(named, ([, address]) => new URL(address, base));
  return urls.filter((url) => url.origin === location.origin && url.pathname.startsWith(`${ROOT}/pages/`)).map((url) => url.pathname);
}
