// Prints, for each operation of an OpenAPI document, the code that the API page shows.
import { readFileSync } from "node:fs";

const { exampleOf, operationsOf } = await import(new URL("../../console/src/pages/api/document.js", import.meta.url));
const { curlOf, pythonOf, typeScriptOf } = await import(new URL("../../console/src/pages/api/snippets.js", import.meta.url));
const [file, name] = process.argv.slice(2);
const document = JSON.parse(readFileSync(file, "utf8"));
const credential = { kind: { header: "Authorization", prefix: "Bearer ", example: "demo-1" }, value: "demo-1" };
const gateway = { name, url: "http://localhost:8002" };

const shown = operationsOf(document).map((operation) => {
  const values = Object.fromEntries(operation.parameters.map(({ name: one, schema }) => [one, String(exampleOf(document, schema) || "it's")]));
  const body = operation.body ? JSON.stringify(exampleOf(document, operation.body.schema)) : "";
  const call = { gateway, document, operation, values, body, credential };
  const curl = curlOf({ method: operation.method, url: gateway.url + operation.path, body, credential, headers: [["X-Note", "it's"]] });
  return { id: operation.id, python: pythonOf(call), typescript: typeScriptOf(call), curl };
});
console.log(JSON.stringify(shown));
