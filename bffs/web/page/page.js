// The page holds no token: it asks the gateway, and says with a header that it is this page.
// Its addresses are relative, so that the gateway may live below a path.
const OURS = { "X-CSRF": "1" };

const HOME = `{ home {
  viewer { name loyalty { tier points } }
  cart { count }
  orders(first: 3) { number status }
  picks(first: 5) { product { title } }
} }`;

const at = (id) => document.getElementById(id);

function show(id, isShown = true) {
  at(id).hidden = !isShown;
}

function list(id, rows) {
  at(id).replaceChildren(...rows.map((row) => Object.assign(document.createElement("li"), { textContent: row })));
}

function complain(text) {
  at("trouble").textContent = text;
  show("trouble");
}

async function ask(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: { ...OURS, ...options.headers } });
  return answer.status === 401 ? null : answer.json();
}

async function showHome() {
  const told = await ask("graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: HOME }),
  });
  const home = told?.data?.home;
  if (!home) {
    complain("The home screen can't be had just now.");
    return;
  }
  // What the session has no scope for is null, and has an error of its own.
  const { viewer, cart, orders, picks } = home;
  if (viewer) at("who").textContent = `${viewer.name}, ${viewer.loyalty.tier}, ${viewer.loyalty.points} points`;
  at("cart").textContent = cart ? cart.count : "not known just now";
  list("orders", (orders ?? []).map((order) => `${order.number}: ${order.status}`));
  list("picks", (picks ?? []).filter((pick) => pick.product).map((pick) => pick.product.title));
  show("home");
}

async function signOut() {
  const told = await ask("bff/logout", { method: "POST" });
  location.href = told ? told.location : "./";
}

async function start() {
  at("logout").addEventListener("click", signOut);
  const error = new URLSearchParams(location.search).get("login_error");
  const user = await ask("bff/user");
  if (error && !user) complain(`Signing in did not work: ${error}`);
  show("login", !user);
  show("logout", Boolean(user));
  at("who").textContent = user ? user.claims.name : "Nobody is signed in.";
  if (user) await showHome();
}

start().catch((error) => complain(String(error)));
