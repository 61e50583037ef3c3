// A request as a curl command, and as calls of the clients that `bff client` generates.
import { valueOf } from "../../json-text.js";
import { flattened, nameOf } from "./document.js";

const NONE = { kind: null, value: "" };
const WORDS = /[A-Za-z0-9]+/g;

/** A text as one word of a POSIX shell. */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Whether a value is an example that everybody knows: only such values are written into code. */
export function isExample({ example }, value) {
  return Boolean(example) && value.startsWith(example.replace(/\d+$/, ""));
}

/** The header of a credential {kind, value}; `$TOKEN` stands for a real one. */
function authOf({ kind, value }) {
  const name = `${kind.header}: ${kind.prefix}`;
  return isExample(kind, value) ? quoted(name + value) : `"${name}$TOKEN"`;
}

/** `curl` for a request {method, url, headers, body, credential}. */
export function curlOf({ method, url, headers = [], body = "", credential = NONE }) {
  const isPlain = method === "GET" || (method === "POST" && body);
  const lines = [`curl -sSi ${isPlain ? "" : `-X ${method} `}${quoted(url)}`];
  if (credential.value) lines.push(`-H ${authOf(credential)}`);
  for (const [name, value] of [...(credential.headers?.slice(1) ?? []), ...headers]) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body) lines.push(`--json ${quoted(compact(body))}`);
  return lines.join(" \\\n  ");
}

/** Whether the generated clients take the credential; cookies are the browser's affair. */
function hasToken({ kind, value }) {
  return Boolean(value) && kind.header !== "Cookie";
}

function compact(body) {
  const value = valueOf(body);
  return value === undefined ? body : JSON.stringify(value);
}

function pascal(name) {
  return (name.match(WORDS) ?? []).map((word) => word[0].toUpperCase() + word.slice(1)).join("");
}

function camel(name) {
  const whole = pascal(name);
  return whole ? whole[0].toLowerCase() + whole.slice(1) : whole;
}

function snake(name) {
  return (name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").match(WORDS) ?? []).join("_").toLowerCase();
}

/** Parameters that the generated clients take: they set `_meta` and keys themselves. */
function argumentsOf(operation, values) {
  return operation.parameters.filter(({ name, required: isRequired }) => name !== "_meta" && name.toLowerCase() !== "idempotency-key" && (isRequired || (values[name] ?? "") !== ""));
}

function typed(document, schema, text = "") {
  const { type } = flattened(document, schema ?? {});
  if ((type === "integer" || type === "number") && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  return type === "boolean" ? text === "true" : text;
}

/** Whether the answer is a stream of values, and nothing else. */
function isStream({ responses }) {
  const media = Object.keys(responses.find(({ status }) => /^2/.test(status))?.content ?? {});
  return media.length > 0 && media.every((one) => one === "application/x-ndjson" || one === "text/event-stream");
}

/** The call in TypeScript; see "A client for the app team" in the documentation. */
export function typeScriptOf({ gateway, document, operation, values, body, credential = NONE }) {
  const members = argumentsOf(operation, values).map(({ name, schema }) => `${keyOf(name)}: ${JSON.stringify(typed(document, schema, values[name]))}`);
  if (operation.body) members.push(`body: ${literal(valueOf(body) ?? {})}`);
  const given = members.length ? `{ ${members.join(", ")} }` : "";
  const name = pascal(gateway.name);
  const lines = [`// bff client ts --gateway ${gateway.name}`, `import { create${name}Client } from "./clients/${gateway.name}.js";`, "", `const api = create${name}Client({`, `  baseUrl: ${JSON.stringify(gateway.url)},`];
  if (hasToken(credential)) lines.push(`  token: () => ${isExample(credential.kind, credential.value) ? JSON.stringify(credential.value) : "process.env.TOKEN"},`);
  lines.push("});", "", `const result = await api.${camel(operation.id)}(${given});`, "if (result.ok) {", isStream(operation) ? "  for await (const line of result.data) console.log(line);" : "  console.log(result.data, result.parts);", "} else {", "  console.error(result.message, result.requestId);", "}");
  return lines.join("\n");
}

function keyOf(name) {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** A JavaScript literal with plain keys. */
function literal(value) {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([key, one]) => `${keyOf(key)}: ${literal(one)}`).join(", ")} }`;
}

/** The call in Python; see "Python clients" in the documentation. */
export function pythonOf({ gateway, document, operation, values, body, credential = NONE }) {
  const given = argumentsOf(operation, values);
  const position = given.filter((one) => one.in === "path").map((one) => python(typed(document, one.schema, values[one.name])));
  if (operation.body) position.push(model(document, operation.body.schema, valueOf(body) ?? {}));
  const keywords = given.filter((one) => one.in !== "path").map((one) => `${snake(one.name)}=${python(typed(document, one.schema, values[one.name]))}`);
  const name = `${pascal(gateway.name)}Client`;
  const module = `${snake(gateway.name)}_client`;
  const isKnown = hasToken(credential) && isExample(credential.kind, credential.value);
  const auth = hasToken(credential) ? `, token=${isKnown ? python(credential.value) : 'os.environ["TOKEN"]'}` : "";
  const first = [`# bff client python --gateway ${gateway.name}; pip install clients/${gateway.name}-client`, ...(auth && !isKnown ? ["import os", ""] : [])];
  const names = ["GatewayProblem", name, ...(operation.body ? ["models"] : [])].sort((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1));
  const call = `client.${snake(operation.id)}(${[...position, ...keywords].join(", ")})`;
  const used = isStream(operation)
    ? [`        for line in ${call}:`, "            print(line)", "    except GatewayProblem as problem:", "        print(problem.code, problem.request_id)"]
    : [`        answer = ${call}`, "    except GatewayProblem as problem:", "        print(problem.code, problem.request_id)", "    else:", "        print(answer.value, answer.parts)"];
  return [...first, `from ${module} import ${names.join(", ")}`, "", `with ${name}(${python(gateway.url)}${auth}) as client:`, "    try:", ...used].join("\n");
}

function python(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${python(one)}`).join(", ")}}`;
  return JSON.stringify(value);
}

/** A value as the generated models: `models.Quantity(quantity=2)`. */
function model(document, schema, value) {
  const flat = flattened(document, schema);
  if (Array.isArray(value) && flat.items) return `[${value.map((one) => model(document, flat.items, one)).join(", ")}]`;
  const name = nameOf(schema) || flat.name;
  if (!name || value === null || typeof value !== "object" || Array.isArray(value)) return python(value);
  const fields = Object.entries(value).map(([key, one]) => `${snake(key)}=${model(document, flat.properties?.[key] ?? {}, one)}`);
  return `models.${pascal(name)}(${fields.join(", ")})`;
}
