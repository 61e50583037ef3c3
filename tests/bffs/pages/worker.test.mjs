import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import vm from "node:vm";

const SOURCE = await readFile(new URL("../../../bffs/web/pages/shared/worker.js", import.meta.url), "utf8");

/** The worker, with caches in memory and a server that answers what `serve(path)` returns. */
function workerOf(serve) {
  const listeners = {};
  const stores = new Map();
  const nameOf = (key) => (typeof key === "string" ? key : key.url);
  const open = async (name) => {
    if (!stores.has(name)) stores.set(name, new Map());
    const values = stores.get(name);
    return { put: async (key, value) => values.set(nameOf(key), value), match: async (key) => values.get(nameOf(key)), keys: async () => [...values.keys()] };
  };
  const location = { origin: "http://shop" };
  const self = { registration: { scope: "http://shop/" }, addEventListener: (name, run) => (listeners[name] = run), skipWaiting: () => {} };
  const fetch = async (url) => serve(new URL(url, "http://shop").pathname);
  vm.runInNewContext(SOURCE, { self, location, caches: { open, keys: async () => [] }, fetch, URL, Response, console });
  const stored = () => [...stores.values()].flatMap((values) => [...values.keys()]);
  const get = async (path, mode = "no-cors") => {
    let answer;
    listeners.fetch({ request: { method: "GET", url: `http://shop${path}`, mode }, respondWith: (one) => (answer = one) });
    return answer;
  };
  const install = async () => {
    let done;
    listeners.install({ waitUntil: (one) => (done = one) });
    await done;
  };
  return { get, install, stored };
}

const of = (type, text = "") => new Response(text, { headers: { "content-type": type } });

test("answers of the expected media types are stored", async () => {
  const types = { "/phone/": "text/html; charset=utf-8", "/pages/a.js": "text/javascript; charset=utf-8", "/pages/a.css": "text/css", "/pages/a.svg": "image/svg+xml", "/pictures/1.svg": "image/svg+xml" };
  const worker = workerOf((path) => of(types[path]));
  for (const path of Object.keys(types)) await worker.get(path, path === "/phone/" ? "navigate" : "no-cors");

  assert.deepEqual(worker.stored().sort(), ["/pages/a.css", "/pages/a.js", "/pages/a.svg", "/phone/", "http://shop/pictures/1.svg"]);
});

test("what a proxy sends in their place is shown once, and not stored", async () => {
  const wrong = { "/phone/": "application/json", "/pages/a.js": "text/html", "/pages/a.css": "text/html", "/pages/a.svg": "text/html", "/pages/a.txt": "text/plain", "/pictures/1.svg": "text/html" };
  const worker = workerOf((path) => of(wrong[path]));
  for (const path of Object.keys(wrong)) assert.ok(await worker.get(path, path === "/phone/" ? "navigate" : "no-cors"));

  assert.deepEqual(worker.stored(), []);
});

test("the shell that is installed has no page of a proxy in it", async () => {
  const page = '<script type="module" src="/pages/a.js"></script><link href="/pages/a.css">';
  const worker = workerOf((path) => (path.endsWith("/") ? of("text/html", page) : path.endsWith(".js") ? of("text/javascript") : of("text/html")));

  await worker.install();

  assert.deepEqual(worker.stored().sort(), ["/", "/office/", "/pages/a.js", "/phone/", "/store/"]);
});
