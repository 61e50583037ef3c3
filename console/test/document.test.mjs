import assert from "node:assert/strict";
import { test } from "node:test";
import { valuesIn } from "../src/pages/api/document.js";
import { curlOf } from "../src/pages/api/snippets.js";

test("parameters are read from an actual path", () => {
  assert.deepEqual(valuesIn("/v1/products/{product_id}", "/v1/products/8"), { product_id: "8" });
  assert.deepEqual(valuesIn("/v1/a.b/{x}/c/{y}", "/v1/a.b/1%202/c/z"), { x: "1 2", y: "z" });
  assert.equal(valuesIn("/v1/a.b/{x}", "/v1/acb/1"), null);
  assert.equal(valuesIn("/v1/products/{product_id}", "/v1/products/8/reviews"), null);
});

test("an example is written into a command, a real credential is not", () => {
  const bearer = { header: "Authorization", prefix: "Bearer ", example: "demo-1" };
  const cookie = { header: "Cookie", prefix: "__Host-bff=", example: "" };
  const of = (credential) => curlOf({ method: "GET", url: "http://localhost/v1", credential });
  assert.match(of({ kind: bearer, value: "demo-2?scope=openid" }), /-H 'Authorization: Bearer demo-2\?scope=openid'/);
  assert.match(of({ kind: bearer, value: "eyJhbGciOi" }), /-H "Authorization: Bearer \$TOKEN"/);
  const withCookie = of({ kind: cookie, value: "s3cret", headers: [["Cookie", "__Host-bff=s3cret"], ["X-CSRF", "1"]] });
  assert.match(withCookie, /-H "Cookie: __Host-bff=\$TOKEN" \\\n {2}-H 'X-CSRF: 1'/);
  assert.doesNotMatch(withCookie, /s3cret/);
});
