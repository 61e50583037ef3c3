// An OpenAPI document: its operations, schemas with their references resolved, and examples.

const METHODS = ["get", "put", "post", "delete", "patch", "head", "options", "trace"];

/** All operations in the document's order: {id, method, path, tag, title, parameters, body, responses, security}. */
export function operationsOf(document) {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => operationOf(document, path, method, item)));
}

function operationOf(document, path, method, item) {
  const raw = item[method];
  const parameters = [...(item.parameters ?? []), ...(raw.parameters ?? [])].map((one) => resolved(document, one));
  const body = raw.requestBody && resolved(document, raw.requestBody);
  const media = body && (body.content?.["application/json"] ? "application/json" : Object.keys(body.content ?? {})[0]);
  return {
    id: raw.operationId ?? `${method} ${path}`, method: method.toUpperCase(), path, tag: raw.tags?.[0] ?? "other",
    title: raw.description?.split("\n")[0] || raw.summary || raw.operationId || path, text: raw.description ?? "", isDeprecated: raw.deprecated === true,
    parameters, body: media ? { media, isRequired: body.required === true, schema: body.content[media].schema ?? {} } : null,
    responses: Object.entries(raw.responses ?? {}).map(([status, one]) => ({ status, ...resolved(document, one) })),
    security: raw.security ?? document.security ?? [],
  };
}

/** The target of a local reference, or the value itself. */
export function resolved(document, value) {
  let found = value;
  for (let depth = 0; found?.$ref && depth < 20; depth++) {
    found = found.$ref.split("/").slice(1).reduce((place, key) => place?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], document) ?? {};
  }
  return found ?? {};
}

/** The name of a referenced schema: "MobileHome", empty for one without a name. */
export function nameOf(schema) {
  return schema?.$ref ? schema.$ref.split("/").at(-1) : "";
}

/** One object of `allOf`, without null in `anyOf`: {type, properties, required, options, isNullable, …}. */
export function flattened(document, schema, depth = 0) {
  const found = resolved(document, schema);
  const options = found.anyOf ?? found.oneOf;
  if (found.allOf && depth < 8) return found.allOf.map((one) => flattened(document, one, depth + 1)).reduce(merged, { ...found, allOf: undefined });
  if (!options) return Array.isArray(found.type) ? { ...found, type: found.type.find((one) => one !== "null"), isNullable: found.type.includes("null") } : found;
  const real = options.filter((one) => one.type !== "null");
  const isNullable = real.length < options.length;
  if (real.length === 1 && depth < 8) return { ...flattened(document, real[0], depth + 1), isNullable, name: nameOf(real[0]) };
  return { ...found, options: real, isNullable };
}

function merged(one, other) {
  return { ...one, ...other, properties: { ...one.properties, ...other.properties }, required: [...(one.required ?? []), ...(other.required ?? [])], description: one.description ?? other.description };
}

/** A type in words: "string", "array of MobileCard", "integer or null". */
export function typeOf(document, schema) {
  const flat = flattened(document, schema);
  const name = nameOf(schema) || flat.name;
  const word = flat.options ? [...new Set(flat.options.map((one) => typeOf(document, one)))].join(" or ")
    : flat.type === "array" ? `array of ${flat.items ? typeOf(document, flat.items) : "anything"}`
      : flat.const !== undefined ? JSON.stringify(flat.const)
        : name && flat.type === "object" ? name : flat.type ?? (flat.properties ? "object" : "anything");
  return flat.isNullable ? `${word} or null` : word;
}

/** The limits of a value in words: "1 to 50", "at most 64 characters", "one of a, b". */
export function limitsOf(flat) {
  const facts = [];
  if (flat.enum) facts.push(`one of ${flat.enum.join(", ")}`);
  if (flat.format) facts.push(flat.format);
  facts.push(range(flat.minimum, flat.maximum, ""), range(flat.minLength, flat.maxLength, " characters"), range(flat.minItems, flat.maxItems, " items"));
  if (flat.default !== undefined && flat.default !== "") facts.push(`default ${JSON.stringify(flat.default)}`);
  return facts.filter(Boolean).join(", ");
}

function range(low, high, unit) {
  if (low !== undefined && high !== undefined) return `${low} to ${high}${unit}`;
  if (low !== undefined) return `at least ${low}${unit}`;
  return high === undefined ? "" : `at most ${high}${unit}`;
}

/** A value that the schema allows: its example or default, else the shortest one. */
export function exampleOf(document, schema, depth = 0) {
  const flat = flattened(document, schema);
  const given = flat.example ?? flat.examples?.[0] ?? flat.default ?? flat.const ?? flat.enum?.[0];
  if (given !== undefined) return given;
  if (depth > 6) return null;
  if (flat.options) return exampleOf(document, flat.options[0] ?? {}, depth + 1);
  if (flat.type === "array") return flat.items ? [exampleOf(document, flat.items, depth + 1)] : [];
  if (flat.type === "object" || flat.properties) {
    return Object.fromEntries(Object.entries(flat.properties ?? {}).filter(([key]) => depth < 2 || flat.required?.includes(key)).map(([key, one]) => [key, exampleOf(document, one, depth + 1)]));
  }
  return { integer: flat.minimum ?? 1, number: flat.minimum ?? 1, boolean: false, null: null }[flat.type] ?? "";
}

/** The parameters in an actual path: {product_id: "8"} of "/v1/products/8"; null for another path. */
export function valuesIn(template, path) {
  const names = [...template.matchAll(/\{([^}:]+)[^}]*\}/g)].map(([, name]) => name);
  const pattern = template.split(/\{[^}]+\}/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("([^/]+)");
  const found = new RegExp(`^${pattern}$`).exec(path);
  return found && Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1])]));
}
