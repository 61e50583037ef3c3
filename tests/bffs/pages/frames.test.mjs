import assert from "node:assert/strict";
import { test } from "node:test";

// One page stands for a frame and for the start page, so its window is made before the scripts are loaded.
const told = [];
const listeners = {};
const page = {
  self: {},
  location: { origin: "http://shop" },
  parent: { location: { origin: "http://shop" }, postMessage: (message) => told.push(message) },
  document: { visibilityState: "visible", addEventListener: () => {} },
  addEventListener: (name, listener) => (listeners[name] = listener),
};
for (const [name, value] of Object.entries(page)) Object.defineProperty(globalThis, name, { value, configurable: true });
const { createClient } = await import("../../../bffs/web/pages/shared/client.js");
const { startFrames } = await import("../../../bffs/web/pages/start/frames.js");

function clientThatGets(status, body = {}) {
  told.length = 0;
  return createClient({ name: "phone", origin: "", fetch: async () => Response.json(body, { status }) });
}

const WROTE = [{ type: "shop.wrote" }];

test("a write that is done is told to the start page, by REST and by GraphQL", async () => {
  await clientThatGets(200).send("PUT", "/v1/cart/items/1", { quantity: 2 });
  assert.deepEqual(told, WROTE);

  await clientThatGets(200, { data: { checkout: {} } }).graphql("mutation Buy { checkout { id } }");
  assert.deepEqual(told, WROTE);
});

test("a read tells nothing, nor does a write that was refused", async () => {
  await clientThatGets(200).get("/v1/cart");
  await clientThatGets(200, { data: { cart: {} } }).graphql("query Cart { cart { count } }");
  assert.deepEqual(told, []);

  await clientThatGets(409).send("POST", "/v1/checkout", {});
  assert.deepEqual(told, []);
});

/** The three frames of a start page; each has what it was told, as `told`. */
function threeFrames(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const frames = ["phone", "web", "office"].map((name) => {
    const messages = [];
    const frame = { dataset: { src: `/${name}/` }, contentWindow: { postMessage: (message) => messages.push(message.reason) } };
    return [name, { frame, messages, querySelector: () => frame }];
  });
  const figures = Object.fromEntries(frames);
  startFrames({ figures, received: () => {}, isSettled: () => true }).load();
  const write = (name, origin = "http://shop") => listeners.message({ source: figures[name].frame.contentWindow, origin, data: { type: "shop.wrote" } });
  return { write, told: () => Object.fromEntries(frames.map(([name, { messages }]) => [name, messages])) };
}

test("what one frame changed, the two others load at once", (t) => {
  const { write, told: refreshed } = threeFrames(t);
  write("phone");
  write("phone");
  t.mock.timers.tick(100);

  assert.deepEqual(refreshed(), { phone: [], web: ["write"], office: ["write"] });
});

test("if two frames changed something, all load again", (t) => {
  const { write, told: refreshed } = threeFrames(t);
  write("phone");
  write("web");
  write("web");
  t.mock.timers.tick(100);

  assert.deepEqual(refreshed(), { phone: ["write"], web: ["write"], office: ["write"] });
});

test("another origin is not listened to", (t) => {
  const { write, told: refreshed } = threeFrames(t);
  write("phone", "http://other");
  t.mock.timers.tick(100);

  assert.deepEqual(refreshed(), { phone: [], web: [], office: [] });
});
