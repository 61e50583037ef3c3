import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const CONFIG = { auth: "session", mobile: "http://mobile", desktop: "http://desktop", identity: "http://identity", customers: [], services: [] };
let number = 0;
let stored;

beforeEach(() => {
  stored = new Map();
  globalThis.localStorage = { getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value) };
});

const fresh = () => import(`../../../bffs/web/pages/shared/config.js?${++number}`);

test("a configuration that does not come, or can't be read, says so", async () => {
  const { loadConfig } = await fresh();
  const cases = [
    [() => Promise.reject(new DOMException("late", "TimeoutError")), /took too long/],
    [() => Promise.reject(new TypeError("refused")), /does not answer/],
    [() => new Response("", { status: 500 }), /status 500/],
    ...["", "<p>", "null", "{}", "[]", '{"auth": "session", "customers": null, "services": []}'].map((text) => [() => new Response(text), /could not be read/]),
  ];
  for (const [answer, message] of cases) {
    globalThis.fetch = async () => answer();
    await assert.rejects(loadConfig(), message);
  }
  globalThis.fetch = async () => Response.json(CONFIG);
  assert.deepEqual(await loadConfig(), CONFIG); // a failure is not remembered
});

test("without the gateway the last configuration is used, if it is one", async () => {
  globalThis.fetch = async () => Promise.reject(new TypeError("refused"));
  stored.set("shop:config", JSON.stringify(CONFIG));
  assert.deepEqual(await (await fresh()).loadConfig(), CONFIG);
  stored.set("shop:config", "5");
  await assert.rejects((await fresh()).loadConfig(), /does not answer/);
});

test("an address that is not configured is named with its variable", async () => {
  const { missingAddress } = await fresh();
  assert.equal(missingAddress(CONFIG, "mobile"), null);
  assert.equal(missingAddress({ ...CONFIG, mobile: null }, "mobile"), "The address of the mobile gateway is not configured (SHOP_MOBILE_URL).");
  assert.match(missingAddress({ ...CONFIG, desktop: null }, "desktop"), /SHOP_DESKTOP_URL/);
  assert.match(missingAddress({ ...CONFIG, identity: null }, "desktop"), /SHOP_IDENTITY_URL/);
  assert.equal(missingAddress({ ...CONFIG, auth: "demo", identity: null }, "mobile"), null);
});
