// Serves the console without a gateway: `node serve.mjs [port] [folder of assets]`.
//
// Answers are the files of fixtures/: GET /console/api/requests/317787c320d9 is requests.317787c320d9.json,
// else requests.detail.json. Live messages are made from them: RATE=1000 sends that many requests a second.
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const FIXTURES = join(HERE, "fixtures");
const PORT = Number(process.argv[2] ?? 8090);
const ASSETS = resolve(process.argv[3] ?? join(HERE, "../bff_core/console/assets"));
const RATE = Number(process.env.RATE ?? 0);
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".txt": "text/plain; charset=utf-8" };
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** Fixtures were recorded at this instant; they are served as if it were now. */
const RECORDED = 1_789_957_000;

function moved(text) {
  const shift = Math.round(Date.now() / 1000) - RECORDED;
  return text.replace(/\b17[89]\d{7}(\.\d+)?\b/g, (instant) => String(Number(instant) + (process.env.FROZEN ? 0 : shift)));
}

function fixture(name) {
  const file = join(FIXTURES, `${name}.json`);
  return existsSync(file) ? moved(readFileSync(file, "utf8")) : null;
}

function answerOf(path) {
  const [area, ...rest] = path.split("/").filter(Boolean).map(decodeURIComponent);
  const name = [area, ...rest].join(".").replaceAll("/", ".");
  return fixture(name) ?? (rest.length ? fixture([area, "detail", ...rest.slice(1)].join(".")) : null);
}

/** The contracts of the reference gateways: OpenAPI documents and the GraphQL schema. */
function contractOf(path) {
  const [, gateway, name] = /^gateways\/(\w+)\/(openapi\.json|schema\.graphql)$/.exec(path) ?? [];
  const file = join(HERE, "../contracts", name === "openapi.json" ? `${gateway}.openapi.json` : `${gateway}.graphql`);
  return name && existsSync(file) ? readFileSync(file, "utf8") : null;
}

function api(request, response, url) {
  const path = url.pathname.slice("/console/api/".length);
  if (path === "live") return live(request, response);
  const found = request.method === "GET" ? (contractOf(path) ?? answerOf(path)) : (answerOf(`${path}/${request.method}`) ?? answerOf(path));
  response.writeHead(found ? 200 : 404, { "Content-Type": found ? "application/json" : "application/problem+json" });
  response.end(found ?? JSON.stringify({ title: `No fixture for ${path}`, detail: `Add console/fixtures/${path.replaceAll("/", ".")}.json.` }));
}

function live(request, response) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.write("retry: 1000\n\n");
  let number = 0;
  const rows = JSON.parse(fixture("requests") ?? '{"rows": []}').rows;
  const timer = setInterval(() => {
    const now = Date.now() / 1000;
    const fresh = Array.from({ length: RATE / 4 }, () => ({ ...rows[number % rows.length], id: `live${number++}`, time: now }));
    response.write(`data: ${JSON.stringify({ time: now, requests: fresh })}\n\n`);
  }, 250);
  request.on("close", () => clearInterval(timer));
}

function asset(response, path) {
  const file = join(ASSETS, normalize(path).replace(/^(\.\.[/\\])+/, ""));
  const isThere = extname(file) in TYPES && existsSync(file);
  const body = isThere ? readFileSync(file) : "";
  response.writeHead(isThere ? 200 : 404, { "Content-Type": TYPES[extname(file)] ?? "text/plain", "X-Content-Type-Options": "nosniff" });
  response.end(body);
}

function document(response) {
  const snapshot = { overview: JSON.parse(fixture("overview")), installation: JSON.parse(fixture("installation")) };
  const data = JSON.stringify(snapshot).replaceAll("<", "\\u003c");
  response.writeHead(200, { "Content-Type": TYPES[".html"], "Content-Security-Policy": POLICY });
  response.end(readFileSync(join(ASSETS, "index.html"), "utf8").replace(/(?<=id="snapshot">).*?(?=<)/, () => data));
}

createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname.startsWith("/console/api/")) return api(request, response, url);
  if (url.pathname.startsWith("/console/assets/")) return asset(response, url.pathname.slice("/console/assets/".length));
  return document(response);
}).listen(PORT, "127.0.0.1", function () {
  console.log(`http://127.0.0.1:${this.address().port}/console`);
});
