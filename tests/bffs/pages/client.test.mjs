import assert from "node:assert/strict";
import { test } from "node:test";

import { createClient } from "../../../bffs/web/pages/shared/client.js";

/** A gateway that answers with what it is given, in turn, and remembers the requests. */
function gateway(...answers) {
  const requests = [];
  const fetch = async (url, options) => {
    requests.push({ url, ...options });
    const next = answers.shift();
    if (next instanceof Error) throw next;
    if (next) return next;
    return new Promise((_, reject) => options.signal.addEventListener("abort", () => reject(options.signal.reason)));
  };
  return { requests, fetch };
}

function json(body, { status = 200, ...headers } = {}) {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
}

function clientOf({ fetch }, more = {}) {
  return createClient({ name: "phone", origin: "http://gateway", fetch, ...more });
}

test("an answer has its body, and facts from its headers", async () => {
  const headers = {
    "part-status": "profile=ok, stock=fallback;reason=circuit_open, rating=stale;age=12",
    "server-timing": 'profile;dur=12.4, stock;dur=0.6;desc="fallback: circuit_open, open", calls;desc="7", fetched;desc="47213", total;dur=41.2',
    "x-request-id": "c6db",
  };
  const served = gateway(json({ name: "Rémi" }, headers));

  const { ok, status, body, facts, problem } = await clientOf(served).get("/v1/home?width=160");

  assert.deepEqual({ ok, status, body, problem }, { ok: true, status: 200, body: { name: "Rémi" }, problem: null });
  const { at, ...others } = facts;
  assert.ok(Date.now() - at < 5000);
  assert.deepEqual(others, {
    client: "phone",
    route: "/v1/home",
    status: 200,
    ms: 41.2,
    bytes: 16, // é has two bytes
    calls: 7,
    fetched: 47213,
    parts: [
      { name: "profile", state: "ok", reason: "", age: 0, ms: 12.4 },
      { name: "stock", state: "fallback", reason: "circuit_open", age: 0, ms: 0.6 },
      { name: "rating", state: "stale", reason: "", age: 12, ms: null },
    ],
    state: "degraded",
    requestId: "c6db",
  });
});

test("an old part does not make a screen degraded", async () => {
  const served = gateway(json({}, { "part-status": "cart=stale;age=3, orders=ok" }));

  const { facts } = await clientOf(served).get("/");

  assert.equal(facts.state, "complete");
});

test("without timing the client measures, and calls are not known", async () => {
  const { facts } = await clientOf(gateway(json({}))).get("/");

  assert.ok(facts.ms >= 0 && facts.ms < 1000);
  assert.deepEqual([facts.calls, facts.fetched, facts.parts], [null, null, []]);
});

test("a problem names the part that failed", async () => {
  const body = { title: "Upstream unavailable", status: 502, code: "unavailable", part: "profile" };

  const result = await clientOf(gateway(json(body, { status: 502 }))).get("/v1/home");

  assert.deepEqual([result.ok, result.status, result.body], [false, 502, null]);
  assert.deepEqual([result.problem.code, result.problem.part], ["unavailable", "profile"]);
  assert.equal(result.facts.state, "failed");
  assert.deepEqual(result.facts.parts, [{ name: "profile", state: "failed", reason: "unavailable", age: 0, ms: null }]);
});

test("an error page of a proxy is a problem, too", async () => {
  const served = gateway(new Response("<h1>Bad gateway</h1>", { status: 502 }));

  const { ok, problem } = await clientOf(served).get("/");

  assert.equal(ok, false);
  assert.deepEqual([problem.status, problem.code, problem.title], [502, "status_502", "Status 502"]);
});

test("no network is no exception: the state is offline", async () => {
  const { ok, status, facts, problem } = await clientOf(gateway(new TypeError("Failed to fetch"))).get("/v1/home");

  assert.deepEqual([ok, status, facts.state, problem.code], [false, 0, "offline", "unreachable"]);
  assert.deepEqual([facts.route, facts.bytes, facts.parts], ["/v1/home", 0, []]);
});

test("a gateway that does not answer in time has failed", async () => {
  const { facts, problem } = await clientOf(gateway(null), { timeout: 5 }).get("/");

  assert.deepEqual([facts.state, problem.code], ["failed", "timeout"]);
});

test("a newer read of a screen replaces the older one, which never ends", async () => {
  const served = gateway(null, json({ page: 2 }));
  const client = clientOf(served);
  let ended = 0;
  client.get("/v1/products?page=1").then(() => (ended += 1));
  await Promise.resolve();

  const { body } = await client.get("/v1/products?page=2");
  await new Promise((done) => setTimeout(done, 5));

  assert.equal(body.page, 2);
  assert.equal(served.requests[0].signal.aborted, true);
  assert.equal(ended, 0);
});

test("reads of different screens do not disturb each other", async () => {
  const served = gateway(json({ of: "home" }), json({ of: "cart" }));
  const client = clientOf(served);

  const [home, cart] = await Promise.all([client.get("/v1/home"), client.get("/v1/cart")]);

  assert.deepEqual([home.body.of, cart.body.of], ["home", "cart"]);
});

test("a write sends JSON and its key, and is not replaced", async () => {
  const served = gateway(json({ id: 1 }), json({ id: 2 }));
  const client = clientOf(served, { headers: async () => ({ Authorization: "Bearer demo-1" }) });

  const [first, second] = await Promise.all(["a", "b"].map((key) => client.send("POST", "/v1/checkout", { pay: "visa" }, { key })));

  assert.deepEqual([first.body.id, second.body.id], [1, 2]);
  const [{ method, body, headers, cache }] = served.requests;
  assert.deepEqual([method, body, cache], ["POST", '{"pay":"visa"}', undefined]);
  assert.equal(headers["Idempotency-Key"], "a");
  assert.equal(headers["Content-Type"], "application/json");
  assert.equal(headers.Authorization, "Bearer demo-1");
});

test("a fresh read bypasses caches", async () => {
  const served = gateway(json({}));

  await clientOf(served).get("/", { fresh: true });

  assert.equal(served.requests[0].cache, "reload");
});

test("a token that is refused is renewed once", async () => {
  const served = gateway(json({}, { status: 401 }), json({ name: "Rémi" }));
  let renewals = 0;
  const headers = () => ({});
  headers.renew = () => (renewals += 1) === 1;

  const { ok } = await clientOf(served, { headers }).get("/");

  assert.deepEqual([ok, renewals, served.requests.length], [true, 1, 2]);
});

test("a client without credentials says why", async () => {
  const headers = () => {
    throw Object.assign(new Error("no token"), { code: "sign_in_unavailable", title: "The identity provider does not answer" });
  };

  const { ok, facts, problem } = await clientOf(gateway(), { headers }).get("/");

  assert.deepEqual([ok, facts.state, problem.code, problem.title], [false, "failed", "sign_in_unavailable", "The identity provider does not answer"]);
});

const HOME = {
  data: { home: { viewer: null, cart: { count: 6 } } },
  errors: [
    { message: "Not available right now", path: ["home", "picks", 0, "product", "stock"], extensions: { code: "unavailable", status: 503, part: "stock" } },
    { message: "Upstream unavailable", path: ["home", "viewer"], extensions: { code: "unavailable", status: 502, part: "profile" } },
  ],
  extensions: { parts: { profile: { status: "missing", reason: "unavailable" }, cart: { status: "ok" }, stock: { status: "fallback", reason: "unavailable" } } },
};

test("GraphQL has its parts in extensions, and what is there stays", async () => {
  const { ok, body, facts, problem } = await clientOf(gateway(json(HOME))).graphql("{ home { viewer { name } } }");

  assert.deepEqual([ok, problem, body.home.cart.count, facts.state, facts.route], [true, null, 6, "degraded", "/graphql"]);
  assert.deepEqual(facts.parts.map(({ name, state }) => `${name} ${state}`), ["profile missing", "cart ok", "stock fallback"]);
});

test("GraphQL fails if a field that the screen requires is null", async () => {
  const { ok, status, body, facts, problem } = await clientOf(gateway(json(HOME))).graphql("{ home { viewer { name } } }", {}, { required: ["home.viewer"] });

  assert.deepEqual([ok, status, problem.part, facts.state, body.home.cart.count], [false, 502, "profile", "failed", 6]);
  assert.equal(facts.parts[0].state, "failed");
});

test("GraphQL fails if a root is null", async () => {
  const answer = { data: { product: null }, errors: [{ message: "No such product", path: ["product"], extensions: { code: "not_found", status: 404 } }] };

  const { ok, status, problem } = await clientOf(gateway(json(answer))).graphql("{ product(id: 0) { title } }");

  assert.deepEqual([ok, status, problem.title], [false, 404, "No such product"]);
});

test("a field of GraphQL that the viewer may not see is a forbidden part", async () => {
  const answer = { data: { home: { orders: null } }, errors: [{ message: "No scope", path: ["home", "orders"], extensions: { code: "not_allowed", status: 403 } }] };

  const { ok, facts } = await clientOf(gateway(json(answer))).graphql("{ home { orders { id } } }");

  assert.deepEqual([ok, facts.state, facts.parts[0].name, facts.parts[0].state], [true, "degraded", "orders", "forbidden"]);
});

test("queries replace each other, mutations do not", async () => {
  const served = gateway(null, json({ data: { a: 2 } }), json({ data: { b: 1 } }), json({ data: { b: 2 } }));
  const client = clientOf(served);
  client.graphql("query A { a }");
  await Promise.resolve();

  const read = await client.graphql("query A { a }");
  const writes = await Promise.all([client.graphql("mutation { b }", {}, { key: "1" }), client.graphql("mutation { b }", {}, { key: "2" })]);

  assert.equal(read.body.a, 2);
  assert.deepEqual(writes.map(({ body }) => body.b), [1, 2]);
  assert.equal(served.requests[2].headers["Idempotency-Key"], "1");
});
