// The page holds no token: it calls the gateway, and says with a header that it is this page.
// With BFF_AUTH=demo there is no sign-in: a customer's number takes the place of the cookie.
// Its addresses are relative, so that the gateway may live below a path.
const OURS = { "X-CSRF": "1" };

const HOME = `{ home {
  viewer { name loyalty { tier points } }
  cart { count }
  orders(first: 3) { number status }
  picks(first: 5) { product { title } }
} }`;

// The part of the screen that each field of the query is made of.
const PARTS = { viewer: "profile", cart: "cart", orders: "orders", picks: "picks" };

let customer = "";

const at = (id) => document.getElementById(id);

function show(id, isShown = true) {
  at(id).hidden = !isShown;
}

function list(id, rows) {
  at(id).replaceChildren(...rows.map((row) => Object.assign(document.createElement("li"), { textContent: row })));
}

function complain(text) {
  at("trouble").textContent = text;
  show("trouble", Boolean(text));
}

async function ask(path, options = {}) {
  const demo = customer ? { Authorization: `Bearer demo-${customer}` } : {};
  return fetch(path, { ...options, headers: { ...OURS, ...demo, ...options.headers } });
}

// What is to be said about a field: that it is missing and why, or how old it is.
function noteOf(field, result) {
  const error = result.errors?.find((one) => one.path?.[1] === field);
  const part = result.extensions?.parts?.[PARTS[field]] ?? { status: "ok" };
  if (part.status === "stale") return `as it was ${part.age ?? 0} s ago`;
  if (part.status !== "ok") return `not available just now (${part.reason ?? part.status})`;
  return error ? error.message : "";
}

function showNotes(result) {
  for (const field of Object.keys(PARTS)) {
    const note = noteOf(field, result);
    at(`${field}-note`).textContent = note;
    show(`${field}-note`, Boolean(note));
  }
}

async function showHome() {
  const answer = await ask("graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: HOME }),
  });
  const result = await answer.json();
  const home = result.data?.home;
  complain(home ? "" : `The home screen is not available: ${result.errors?.[0]?.message ?? result.title}`);
  show("home", Boolean(home));
  if (!home) return;
  // What the session has no scope for is null, and has an error of its own.
  const { viewer, cart, orders, picks } = home;
  const loyalty = viewer?.loyalty ? `, ${viewer.loyalty.tier}, ${viewer.loyalty.points} points` : "";
  at("who").textContent = viewer ? `${viewer.name}${loyalty}` : "Signed in";
  at("cart").textContent = cart ? cart.count : "–";
  list("orders", (orders ?? []).map((order) => `${order.number}: ${order.status}`));
  list("picks", (picks ?? []).filter((pick) => pick.product).map((pick) => pick.product.title));
  showNotes(result);
}

async function signOut() {
  const answer = await ask("bff/logout", { method: "POST" });
  location.href = answer.ok ? (await answer.json()).location : "./";
}

function startDemo() {
  at("who").textContent = "This gateway believes demo users: choose one.";
  show("demo");
  at("demo").addEventListener("submit", (event) => {
    event.preventDefault();
    customer = at("customer").value;
    showHome().catch((error) => complain(String(error)));
  });
}

async function start() {
  at("logout").addEventListener("click", signOut);
  const answer = await ask("bff/user");
  if (answer.status === 404) {
    startDemo();
    return;
  }
  const user = answer.ok ? await answer.json() : null;
  const error = new URLSearchParams(location.search).get("login_error");
  if (!answer.ok && answer.status !== 401) complain(`Signing in is not available: ${(await answer.json()).title}`);
  if (error && !user) complain(`Signing in did not work: ${error}`);
  show("login", !user);
  show("logout", Boolean(user));
  at("who").textContent = user ? user.claims.name : "Not signed in.";
  if (user) await showHome();
}

start().catch((error) => complain(String(error)));
