import assert from "node:assert/strict";
import { test } from "node:test";

import { forgetViewers, savedScreens, storageOf as viewerStorage } from "../../../bffs/web/pages/shared/saved.js";

/** A localStorage with room for so many characters. */
function storageOf(room = Infinity) {
  const values = new Map();
  return {
    get length() {
      return values.size;
    },
    key: (number) => [...values.keys()][number],
    getItem: (key) => values.get(key) ?? null,
    removeItem: (key) => values.delete(key),
    setItem(key, text) {
      const used = [...values].reduce((sum, [name, value]) => sum + (name === key ? 0 : value.length), 0);
      if (used + text.length > room) throw new Error("QuotaExceededError");
      values.set(key, text);
    },
  };
}

test("a screen comes back with the moment it was saved", () => {
  const screens = savedScreens("phone", "1", storageOf());

  screens.put("/", { body: { name: "Rémi" } });

  const { value, at } = screens.get("/");
  assert.deepEqual(value, { body: { name: "Rémi" } });
  assert.ok(Date.now() - at < 5000);
  assert.equal(screens.get("/cart"), null);
});

test("screens of apps and customers are apart", () => {
  const storage = storageOf();
  savedScreens("phone", "1", storage).put("/", { body: {} });

  assert.equal(savedScreens("store", "1", storage).get("/"), null);
  assert.equal(savedScreens("phone", "2", storage).get("/"), null);
});

test("a sign-out removes all screens and nothing else", () => {
  const storage = storageOf();
  storage.setItem("theme", "dark");
  savedScreens("phone", "1", storage).put("/", { body: {} });
  savedScreens("phone", "11", storage).put("/", { body: {} });

  forgetViewers({ except: "1", storages: [storage] });
  assert.equal(savedScreens("phone", "11", storage).get("/"), null);
  assert.notEqual(savedScreens("phone", "1", storage).get("/"), null);

  forgetViewers({ storages: [storage] });
  assert.equal(savedScreens("phone", "1", storage).get("/"), null);
  assert.equal(storage.getItem("theme"), "dark");
});

test("old screens make room, and a full storage is no error", () => {
  const storage = storageOf(250);
  const screens = savedScreens("phone", "1", storage);
  for (let page = 0; page < 40; page += 1) screens.put(`/${page}`, { body: { text: "x".repeat(50) } });

  assert.notEqual(screens.get("/39"), null);
  assert.ok(storage.length < 4);
  screens.put("/large", { body: { text: "x".repeat(400) } });
  assert.equal(screens.get("/large"), null);
});

test("what is broken in the storage is no screen", () => {
  const screens = (text) => {
    const storage = storageOf();
    storage.setItem("shop:of:1:screen:phone:/", text);
    return savedScreens("phone", "1", storage);
  };
  const at = 1_700_000_000_000;
  const broken = [null, 5, {}, { value: 5, at }, { value: null, at }, { value: { body: null }, at }, { value: { body: [] }, at }, { value: { body: {} } }, { value: { body: {} }, at: "now" }];
  for (const text of ["{", ...broken.map((one) => JSON.stringify(one))]) assert.equal(screens(text).get("/"), null, text);
  const good = screens(JSON.stringify({ value: { body: {} }, at }));
  assert.equal(good.get("/").at, at);
  good.drop("/");
  assert.equal(good.get("/"), null);
});

test("prices and purchases of a customer go with the screens, in both storages", () => {
  const [local, session] = [storageOf(), storageOf()];
  viewerStorage("9", "prices", local).setItem("office", "{}");
  viewerStorage("1", "prices", local).setItem("office", "{}");
  viewerStorage("9", "notes", session).setItem("store", "{}");

  forgetViewers({ except: "1", storages: [local, session] });

  assert.deepEqual([local.length, session.length, viewerStorage("1", "prices", local).getItem("office")], [1, 0, "{}"]);
  forgetViewers({ storages: [local, session] });
  assert.equal(local.length, 0);
});

test("the key of a purchase stays for its customer, and nothing of its content", () => {
  const storage = storageOf();
  const purchase = { key: "k", customer: "1", method: "m1", label: "Visa of Rémi", total: 9090, isOpen: true };
  viewerStorage("1", "purchase", storage).setItem("store", JSON.stringify(purchase));
  viewerStorage("1", "purchase", storage).setItem("phone", "nonsense");

  forgetViewers({ storages: [storage] });

  assert.deepEqual(JSON.parse(viewerStorage("1", "purchase", storage).getItem("store")), { key: "k", customer: "1", method: "m1", isOpen: true });
  assert.equal(viewerStorage("1", "purchase", storage).getItem("phone"), null);
  assert.equal(viewerStorage("9", "purchase", storage).getItem("store"), null);
});

test("screens make room for each other, and never at the cost of prices", () => {
  const storage = storageOf();
  viewerStorage("1", "prices", storage).setItem("office", "typed");
  const screens = savedScreens("office", "1", storage);
  for (let page = 0; page < 60; page += 1) screens.put(`/${page}`, { body: {} });

  assert.equal(viewerStorage("1", "prices", storage).getItem("office"), "typed");
  assert.equal(storage.length, 25);
});
