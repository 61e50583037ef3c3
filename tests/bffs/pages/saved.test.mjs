import assert from "node:assert/strict";
import { test } from "node:test";

import { forgetScreens, savedScreens } from "../../../bffs/web/pages/shared/saved.js";

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

  screens.put("/", { name: "Rémi" });

  const { value, at } = screens.get("/");
  assert.deepEqual(value, { name: "Rémi" });
  assert.ok(Date.now() - at < 5000);
  assert.equal(screens.get("/cart"), null);
});

test("screens of apps and customers are apart", () => {
  const storage = storageOf();
  savedScreens("phone", "1", storage).put("/", "phone");

  assert.equal(savedScreens("store", "1", storage).get("/"), null);
  assert.equal(savedScreens("phone", "2", storage).get("/"), null);
});

test("a sign-out removes all screens and nothing else", () => {
  const storage = storageOf();
  storage.setItem("theme", "dark");
  savedScreens("phone", "1", storage).put("/", 1);
  savedScreens("phone", "11", storage).put("/", 1);

  forgetScreens({ except: "1", storage });
  assert.equal(savedScreens("phone", "11", storage).get("/"), null);
  assert.notEqual(savedScreens("phone", "1", storage).get("/"), null);

  forgetScreens({ storage });
  assert.equal(savedScreens("phone", "1", storage).get("/"), null);
  assert.equal(storage.getItem("theme"), "dark");
});

test("old screens make room, and a full storage is no error", () => {
  const storage = storageOf(250);
  const screens = savedScreens("phone", "1", storage);
  for (let page = 0; page < 40; page += 1) screens.put(`/${page}`, "x".repeat(60));

  assert.notEqual(screens.get("/39"), null);
  assert.ok(storage.length < 4);
  screens.put("/large", "x".repeat(400));
  assert.equal(screens.get("/large"), null);
});

test("what is broken in the storage is no screen", () => {
  const storage = storageOf();
  storage.setItem("shop:screen:1:phone:/", "{");

  assert.equal(savedScreens("phone", "1", storage).get("/"), null);
});
