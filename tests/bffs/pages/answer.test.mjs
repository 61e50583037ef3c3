import assert from "node:assert/strict";
import { test } from "node:test";

import { problemOf, sayWhen } from "../../../bffs/web/pages/shared/answer.js";
import { createClient } from "../../../bffs/web/pages/shared/client.js";

/** A client whose gateway answers with this text, media type and status. */
function clientOf(text, { type = "application/json", status = 200, headers = {} } = {}) {
  const fetch = async () => new Response(text, { status, headers: type ? { "content-type": type, ...headers } : headers });
  return createClient({ name: "phone", origin: "http://gateway", fetch });
}

const UNREADABLE = [["", {}], ['{"a": ', {}], ["<h1>Sign in to this network</h1>", { type: "text/html" }], ['{"a": 1}', { type: "text/html" }], ["null", {}], ["[]", {}], ["5", {}]];

test("a 200 that is no JSON object is a problem, and says so", async () => {
  for (const [text, options] of UNREADABLE) {
    const { ok, status, body, facts, problem } = await clientOf(text, options).get("/v1/home");

    assert.deepEqual([ok, status, body, problem.status, problem.code, facts.state], [false, 0, null, 0, "unreadable", "failed"], text);
    assert.equal(problem.title, "The answer could not be read");
  }
});

test("GraphQL without data and without errors is a problem", async () => {
  for (const text of ["", "{}", "null", '{"data": null}', '{"data": 5}', '{"data": null, "errors": []}', '{"errors": [null]}', "<p>"]) {
    const { ok, problem } = await clientOf(text).graphql("{ home { name } }");

    assert.deepEqual([ok, problem?.code], [false, "unreadable"], text);
  }
});

test("GraphQL whose data is null has failed, wherever its error is", async () => {
  const text = JSON.stringify({ data: null, errors: [{ message: "No", path: ["home", "viewer", "name"], extensions: { status: 502, code: "unavailable" } }] });

  const { ok, problem } = await clientOf(text).graphql("{ home { viewer { name } } }", {}, { optional: ["home"] });

  assert.deepEqual([ok, problem.status, problem.code], [false, 502, "unavailable"]);
});

test("an object without what a screen needs is a problem", async () => {
  for (const text of ["{}", '{"items": null, "total": 1}', '{"items": 5, "total": 1}', '{"items": []}']) {
    const { ok, problem } = await clientOf(text).get("/v1/orders", { needs: ["items[]", "total"] });

    assert.deepEqual([ok, problem?.code], [false, "unreadable"], text);
  }
  for (const text of ['{"data": {"cart": {}}}', '{"data": {"cart": {"lines": {}}}}']) {
    const { problem } = await clientOf(text).graphql("{ cart { lines { sku } } }", {}, { needs: ["cart.lines[]"] });
    assert.equal(problem?.code, "unreadable", text);
  }
  const { ok } = await clientOf('{"items": [], "total": 0}').get("/v1/orders", { needs: ["items[]", "total"] });
  assert.equal(ok, true);
});

test("odd problem details keep their status, and have members of the right kinds", async () => {
  const odd = ["<h1>Oops</h1>", "", "null", '{"part": 5, "title": null}', '{"errors": "no", "steps": 1}', '{"errors": [null], "steps": [null, {"step": 1}]}', '{"status": "bad", "code": {}}'];
  for (const text of odd) {
    for (const type of ["application/problem+json", "text/html", null]) {
      const { ok, status, problem } = await clientOf(text, { type, status: 500 }).get("/v1/home");

      const { code, title, detail, part, errors, steps } = problem;
      assert.deepEqual({ ok, status, code, title, detail, part, errors, steps }, { ok: false, status: 500, code: "status_500", title: "Status 500", detail: "", part: "", errors: [], steps: [] }, `${type} ${text}`);
    }
  }
});

test("odd errors of GraphQL never look like a lost connection", async () => {
  for (const error of [{ path: 5 }, { path: [null], extensions: "no" }, { extensions: { part: 7, status: "x", code: 1 } }]) {
    const { ok, status, problem } = await clientOf(JSON.stringify({ data: null, errors: [error], extensions: { parts: { a: null } } }), { status: 500 }).graphql("{ home { name } }");

    assert.deepEqual([ok, status, problem.part], [false, 500, ""], JSON.stringify(error));
  }
});

test("a problem says when to try again", async () => {
  const { problem } = await clientOf("{}", { status: 429, headers: { "retry-after": "60" } }).get("/v1/home");

  assert.equal(problem.retryAfter, 60);
  assert.equal(sayWhen(problem), "Try again in 60 s.");
  assert.equal(sayWhen({ retryAfter: 300 }), "Try again in 5 min.");
  assert.equal(sayWhen({}), "");
});

test("Retry-After may be a date, and nonsense is no time", () => {
  const after = (value) => problemOf({}, 503, new Headers({ "retry-after": value })).retryAfter;

  const inTen = after(new Date(Date.now() + 10_000).toUTCString());
  assert.ok(inTen > 7 && inTen <= 10, String(inTen));
  assert.deepEqual(["soon", "-5", "Wed, 21 Oct 2015 07:28:00 GMT", "99999999"].map(after), [0, 0, 0, 3600]);
});

test("credentials that do not come are a timeout, and so is a body that does not end", async () => {
  const never = () => new Promise(() => {});
  const slow = createClient({ name: "phone", origin: "", headers: never, timeout: 5, fetch: never });
  assert.equal((await slow.get("/")).problem.code, "timeout");

  const open = createClient({ name: "phone", origin: "", timeout: 5, fetch: async () => ({ status: 200, headers: new Headers(), arrayBuffer: never }) });
  assert.equal((await open.get("/")).problem.code, "timeout");
});
