import assert from "node:assert/strict";
import { test } from "node:test";
import { found, matchOf, placeOf, shareOf } from "../src/pages/api/proxied-words.js";

const ROUTE = { id: "supplier", path: "/v1/suppliers/{id}", access: "signed in, with prices:write", methods: ["GET"], conditions: ["header x-beta exists"], targets: [{ upstream: "inventory", kind: "main", percent: 95, by: "" }], files: "", place: "bffs/desktop/proxy.toml:14" };

test("a route is named by its methods and its path", () => {
  assert.equal(matchOf(ROUTE), "GET /v1/suppliers/{id}");
  assert.equal(matchOf({ ...ROUTE, methods: [] }), "any /v1/suppliers/{id}");
});

test("only an upstream that shares the requests has a share", () => {
  assert.equal(shareOf({ kind: "main", percent: 100, by: "" }), "");
  assert.equal(shareOf({ kind: "main", percent: 95, by: "" }), "95 %");
  assert.equal(shareOf({ kind: "canary", percent: 5, by: "viewer" }), "5 % by viewer");
  assert.equal(shareOf({ kind: "mirror", percent: 10, by: "" }), "mirror, 10 %");
});

test("a place is its file and line, by its end if it is long", () => {
  assert.equal(placeOf(ROUTE), "bffs/desktop/proxy.toml:14");
  assert.equal(placeOf({ place: "/srv/shop/bffs/desktop/proxy.toml:14" }), "bffs/desktop/proxy.toml:14");
  assert.equal(placeOf({ place: "" }), "in Python");
});

test("routes are found by what is shown of them", () => {
  for (const text of ["SUPPLIER", "get /v1", "x-beta", "inventory", "prices:write", "toml:14", ""]) assert.deepEqual(found([ROUTE], text), [ROUTE], text);
  assert.deepEqual(found([ROUTE], "catalog"), []);
});
