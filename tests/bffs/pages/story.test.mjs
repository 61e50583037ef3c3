import assert from "node:assert/strict";
import { test } from "node:test";

import { sayPart } from "../../../bffs/web/pages/shared/parts.js";
import { asShown } from "../../../bffs/web/pages/start/captions.js";
import { story } from "../../../bffs/web/pages/start/story.js";

const part = (name, state = "ok", reason = "") => ({ name, state, reason, age: 0, ms: 1 });
const screen = (state, parts, more = {}) => ({ state, parts, status: 200, at: 10, ...more });
const complete = () => screen("complete", [part("profile")]);
const withoutStock = () => screen("degraded", [part("profile"), part("stock", "fallback", "unavailable")]);
const service = (name, state = "running", detail = "") => ({ name, state, detail });

function said({ services = [service("users"), service("inventory")], phone = complete(), web = complete(), office = complete(), changedAt = 0 }) {
  return story({ services, facts: { phone, web, office }, changedAt });
}

test("nothing is wrong", () => {
  assert.deepEqual(said({}), { state: "complete", text: "Two services run, and all three screens are complete. Stop one of them: which client misses it?" });
});

test("who shows less, and who does not, is read from the facts", () => {
  const { state, text } = said({ services: [service("inventory", "stopped")], web: withoutStock(), office: withoutStock() });

  assert.equal(text, "inventory is stopped: the phone stays complete; the web page and the back office show no stock (no answer).");
  assert.equal(state, "degraded");
});

test("without the catalog all clients lack the names of products", () => {
  const nameless = screen("degraded", [part("deals"), part("summary", "fallback", "unavailable")]);

  const { text } = said({ services: [service("catalog", "stopped")], phone: nameless, web: nameless, office: nameless });

  assert.equal(text, "catalog is stopped: the phone, the web page and the back office show no product names (no answer).");
});

test("a list of products without names is not whole, though its service answered", () => {
  const shown = asShown([part("deals"), part("picks", "fallback", "timeout"), part("orders"), part("summary", "missing", "timeout")]);

  assert.deepEqual(shown.map(({ name, state }) => `${name}=${state}`), ["deals=partial", "picks=fallback", "orders=ok", "summary=missing"]);
  assert.equal(sayPart(shown[0]), "deals: incomplete (no names)");
});

test("lists with names are as their services left them", () => {
  const parts = [part("deals"), part("summary", "stale")];

  assert.deepEqual(asShown(parts), parts);
});

test("a service that no screen uses is missed by none", () => {
  assert.equal(said({ services: [service("identity", "stopped")] }).text, "identity is stopped: all three screens stay complete.");
});

test("a critical part is named", () => {
  const failed = screen("failed", [part("profile", "failed", "unavailable")], { status: 502 });
  const web = screen("degraded", [part("profile", "missing", "unavailable"), part("cart")]);

  const { state, text } = said({ services: [service("users", "stopped")], phone: failed, office: failed, web });

  assert.equal(text, "users is stopped: the phone and the back office can't do without profile (no answer); the web page shows no profile (no answer).");
  assert.equal(state, "failed");
});

test("several causes are named, and parts that only wait for others do not hide the reason", () => {
  const parts = [part("cart", "missing", "timeout"), part("price", "fallback", "timeout"), part("deals", "fallback", "dependency")];
  const services = [service("cart", "stopped"), service("pricing", "starting"), service("reviews", "faulty", "fails 50 % of its requests")];

  const { text } = said({ services, phone: screen("degraded", parts) });

  assert.equal(text, "cart is stopped, pricing starts and reviews fails 50 % of its requests: the web page and the back office stay complete; the phone shows no cart, price and deals (timeout).");
});

test("facts from before a change say nothing about it", () => {
  const services = [service("inventory", "stopped")];

  assert.deepEqual(said({ services, changedAt: 20 }), { state: "waiting", text: "inventory is stopped." });
  assert.deepEqual(said({ phone: null }), { state: "waiting", text: "" });
});

test("without a console the facts alone speak", () => {
  assert.equal(said({ services: [] }).text, "All three screens stay complete.");
  assert.equal(said({ services: [], web: withoutStock() }).text, "The phone and the back office stay complete; the web page shows no stock (no answer).");
});

test("without a network the clients show what they have", () => {
  const offline = screen("offline", [], { status: 0 });

  assert.equal(said({ services: [], phone: offline, web: offline, office: offline }).text, "No client reaches its gateway, so each shows its last screen.");
});

test("no network, no sign-in and no scope are told apart", () => {
  const { state, text } = said({ phone: screen("offline", [], { status: 0 }), web: screen("failed", [], { status: 401 }), office: screen("failed", [], { status: 403 }) });

  assert.equal(text, "The phone can't reach the gateway; the web page needs a sign-in; the back office may not see this screen.");
  assert.equal(state, "offline");
});
