import assert from "node:assert/strict";
import { test } from "node:test";

const HOME = "http://shop";
const PROVIDER = "http://identity";
const stored = new Map();
const page = {
  location: { origin: HOME },
  localStorage: {
    get length() {
      return stored.size;
    },
    key: (at) => [...stored.keys()][at],
    getItem: (name) => stored.get(name) ?? null,
    setItem: (name, text) => stored.set(name, text),
    removeItem: (name) => stored.delete(name),
  },
};
page.sessionStorage = page.localStorage;
for (const [name, value] of Object.entries(page)) Object.defineProperty(globalThis, name, { value, configurable: true });
const { signOut } = await import("../../../bffs/web/pages/shared/viewer.js");

/** Signs out: the gateway answers `location`, the provider answers or not. Returns what is opened then. */
async function signOutWith(location, { isProviderThere, status = 200 }) {
  stored.set("shop:viewer", '{"id":"1"}');
  globalThis.fetch = async (url) => {
    if (url.endsWith("/shop.json")) return Response.json({ auth: "session", identity: PROVIDER, customers: [], services: [] });
    if (url.endsWith("/bff/logout")) return Response.json({ location }, { status });
    assert.ok(url.startsWith(`${PROVIDER}/`), url);
    if (!isProviderThere) throw new TypeError("Failed to fetch");
    return new Response("");
  };
  const next = await signOut();
  assert.equal(stored.get("shop:viewer"), "null");
  return next;
}

test("a sign-out leads to the provider's page, which ends its session", async () => {
  const ends = `${PROVIDER}/end-session?client_id=web`;

  assert.equal(await signOutWith(ends, { isProviderThere: true }), ends);
});

test("a provider that does not answer leaves the visitor on the start page, signed out here", async () => {
  assert.equal(await signOutWith(`${PROVIDER}/end-session`, { isProviderThere: false }), "/?signed_out=here");
  assert.equal(await signOutWith(`${HOME}/`, { isProviderThere: false }), "/?signed_out=here", "nor did it answer the gateway");
});

test("another provider's page is opened as it is: this page may not call it", async () => {
  assert.equal(await signOutWith("http://other/end", { isProviderThere: false }), "http://other/end");
});

test("an address that can't be read leads to the start page", async () => {
  for (const location of ["http://[", null, 5]) assert.equal(await signOutWith(location, { isProviderThere: true }), "/");
});

test("a gateway that does not answer a sign-out is said in words", async () => {
  globalThis.fetch = async () => Promise.reject(new DOMException("late", "TimeoutError"));
  await assert.rejects(signOut(), { message: "Sign-out did not work: the gateway took too long" });
  globalThis.fetch = async () => Promise.reject(new TypeError("Failed to fetch"));
  await assert.rejects(signOut(), { message: "Sign-out did not work: the gateway does not answer" });
});

test("a session that is over leads to the start page", async () => {
  assert.equal(await signOutWith("", { isProviderThere: false, status: 401 }), "/");
});
