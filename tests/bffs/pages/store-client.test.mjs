import assert from "node:assert/strict";
import { test } from "node:test";

import { createClient } from "../../../bffs/web/pages/shared/client.js";

function clientOf(body) {
  return createClient({ name: "web", origin: "", fetch: async () => Response.json(body) });
}

const unavailable = (...path) => ({ message: "Not available right now", path, extensions: { code: "bad_status", status: 503, part: path[0] } });

test("a root that is null because of a field below it has failed", async () => {
  const client = clientOf({ data: { product: null }, errors: [unavailable("product", "title")] });

  const { ok, problem } = await client.graphql("{ product { title } }");

  assert.equal(ok, false);
  assert.equal(problem.status, 503);
});

test("an optional root that is null leaves the screen alone, and its error is there", async () => {
  const client = clientOf({ data: { product: { title: "Tent" }, cart: null }, errors: [unavailable("cart")] });

  const { ok, body, errors } = await client.graphql("{ product { title } cart { count } }", {}, { optional: ["cart"] });

  assert.equal(ok, true);
  assert.equal(body.product.title, "Tent");
  assert.deepEqual(errors.map(({ path }) => path), [["cart"]]);
});
