import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

/** A page: its storages, its events, and a web gateway that answers what `answers` says for each path. */
let answers;
let requests;
let listeners;
let number = 0;

function memory() {
  const values = new Map();
  return {
    get length() {
      return values.size;
    },
    key: (at) => [...values.keys()][at],
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => values.set(key, value),
    removeItem: (key) => values.delete(key),
  };
}

const CONFIG = { auth: "session", mobile: "http://mobile", desktop: null, identity: "http://identity", customers: [{ id: "1", name: "Rémi" }], services: [] };
const user = (subject) => Response.json(subject && { subject, claims: {} });

beforeEach(() => {
  [answers, requests, listeners] = [{ "/shop.json": () => Response.json(CONFIG) }, [], {}];
  const listen = (name, run) => (listeners[name] = [...(listeners[name] ?? []), run]);
  Object.assign(globalThis, { localStorage: memory(), sessionStorage: memory(), addEventListener: listen });
  globalThis.location = { origin: "http://shop" };
  globalThis.document = { hidden: false, addEventListener: listen, documentElement: { dataset: {} } };
  globalThis.fetch = async (url, options) => {
    requests.push(url);
    return answers[url.split("?")[0]](options);
  };
});

/** Modules have states of their own: each test has new ones. */
async function fresh() {
  const copy = `?${++number}`;
  return import(`../../../bffs/web/pages/shared/viewer.js${copy}`);
}

const event = async (name) => {
  for (const run of listeners[name]) await run({});
};

test("the customer is the subject of the session", async () => {
  const { loadViewer } = await fresh();
  answers["/bff/user"] = () => user("1");
  assert.deepEqual((await loadViewer()).customer, { id: "1", name: "Rémi" });
  answers["/bff/user"] = () => user(null);
  assert.equal((await loadViewer()).customer, null);
});

test("what is stored of the customer before goes when another one is signed in", async () => {
  const { loadViewer } = await fresh();
  localStorage.setItem("shop:of:9:prices:office", "{}");
  localStorage.setItem("shop:of:1:prices:office", "{}");
  answers["/bff/user"] = () => user("1");

  await loadViewer();

  assert.equal(localStorage.getItem("shop:of:9:prices:office"), null);
  assert.equal(localStorage.getItem("shop:of:1:prices:office"), "{}");
});

test("a sign-out leaves nothing of a customer", async () => {
  const { signOut } = await fresh();
  localStorage.setItem("shop:of:9:prices:office", "{}");
  sessionStorage.setItem("shop:of:9:notes:store", "{}");
  localStorage.setItem("shop:viewer", '{"id":"9","name":"Bohdan"}');
  answers["/bff/logout"] = () => Response.json({ location: "http://identity/out" });
  answers["http://identity/.well-known/openid-configuration"] = () => new Response("");

  assert.equal(await signOut(), "http://identity/out");

  assert.deepEqual([localStorage.getItem("shop:of:9:prices:office"), sessionStorage.length, localStorage.getItem("shop:viewer")], [null, 0, "null"]);
});

test("a page that becomes visible under another customer's session is loaded again, and shows no answer", async () => {
  const { loadViewer, mayShow, onViewerChange } = await fresh();
  let changes = 0;
  answers["/bff/user"] = () => user("1");
  await loadViewer();
  onViewerChange(() => (changes += 1));

  await event("visibilitychange");
  assert.deepEqual([changes, await mayShow()], [0, true]);
  answers["/bff/user"] = () => user("9");
  await event("visibilitychange");
  assert.deepEqual([changes, await mayShow()], [1, false]);
  answers["/bff/user"] = () => user(null);
  await event("focus");
  assert.equal(changes, 2);
});

test("a hidden page asks nothing, and no answer is no other customer", async () => {
  const { loadViewer, onViewerChange } = await fresh();
  answers["/bff/user"] = () => user("1");
  await loadViewer();
  onViewerChange(assert.fail);
  for (const answer of [() => Promise.reject(new TypeError("Failed to fetch")), () => new Response("", { status: 503 }), () => new Response("<p>"), () => Response.json({})]) {
    answers["/bff/user"] = answer;
    await event("online");
  }
  document.hidden = true;
  const before = requests.length;
  await event("visibilitychange");
  assert.equal(requests.length, before);
});

test("a session that can't be asked says why, and shows who was signed in last", async () => {
  const { loadViewer } = await fresh();
  localStorage.setItem("shop:viewer", '{"id":"9","name":"Bohdan"}');
  const late = () => Promise.reject(new DOMException("late", "TimeoutError"));
  const cases = [[late, "The gateway took too long"], [() => Response.json({}), "The answer could not be read"], [() => new Response("<p>", { status: 500 }), "Status 500"], [() => Promise.reject(new TypeError("offline")), null]];
  for (const [answer, problem] of cases) {
    answers["/bff/user"] = answer;
    const viewer = await loadViewer();
    assert.deepEqual([viewer.customer.id, viewer.isOffline, viewer.problem], ["9", true, problem]);
  }
  for (const broken of ["5", "{", '{"id":null}', "null"]) {
    localStorage.setItem("shop:viewer", broken);
    assert.equal((await loadViewer()).customer, null, broken);
  }
});

test("requests that begin together share one token", async () => {
  const { headersOf } = await fresh();
  let asked = 0;
  answers["http://identity/demo/token"] = () => Response.json({ access_token: `t${(asked += 1)}`, expires_in: 60, scope: "a b" });
  const headers = headersOf("mobile", "1");

  const all = await Promise.all([headers(), headers()]);

  assert.deepEqual(all.map((one) => one.Authorization), ["Bearer t1", "Bearer t1"]);
  assert.deepEqual([...headers.scopes], ["a", "b"]);
});

test("a token that does not come says why", async () => {
  const { headersOf } = await fresh();
  const cases = [
    [() => Promise.reject(new DOMException("late", "TimeoutError")), "The identity provider took too long"],
    [() => Promise.reject(new TypeError("refused")), "The identity provider does not answer"],
    [() => new Response("", { status: 500 }), "The identity provider refused a token (status 500)"],
    [() => new Response("<p>"), "The answer of the identity provider could not be read"],
    [() => Response.json(null), "The answer of the identity provider could not be read"],
  ];
  for (const [answer, title] of cases) {
    answers["http://identity/demo/token"] = answer;
    await assert.rejects(headersOf("mobile", "1")(), { code: "sign_in_unavailable", title });
  }
});

test("a refused sign-in is said in words of our own", async () => {
  const { sayRefusal } = await fresh();
  assert.equal(sayRefusal("?login_error=provider_unavailable"), "The identity provider does not answer.");
  for (const reason of ["Call+0800+123456", "<b>", "toString", "__proto__"]) assert.equal(sayRefusal(`?login_error=${reason}`), "The sign-in did not work.", reason);
  assert.equal(sayRefusal("?q=1"), "");
});
