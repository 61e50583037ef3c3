interface ParameterPlace {
  readonly key: string;
  readonly name: string;
  readonly place: "path" | "slashes" | "query" | "header";
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly ParameterPlace[];
  readonly body?: "json" | "form" | "multipart" | "binary" | "text";
  readonly mediaType?: string;
  readonly reads: "json" | "text" | "binary" | "nothing" | "lines" | "events";
  readonly mayBeEmpty?: true;
  readonly isKeyed: boolean;
}

type CallArguments = ReadonlyMap<string, unknown>;

interface OutgoingRequest {
  readonly url: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: unknown;
  readonly key: string | undefined;
}

/** Make the request of a call. Throws a `TypeError` for an argument that can't be sent. */
function outgoing(
  runtime: Runtime, operation: Operation, given: object, call: WriteOptions, accept: string,
): OutgoingRequest {
  const values: CallArguments = new Map(Object.entries(given)); // names may be those of prototypes
  const headers = new Map<string, string>([["accept", accept]]);
  const query: string[] = [];
  for (const { key, name, place } of operation.parameters) {
    const items = listed(values.get(key));
    if (place === "query") for (const one of items) query.push(pair(name, one));
    if (place === "header" && items.length > 0) setHeader(headers, name, items.map(String).join(", "));
  }
  const key = operation.isKeyed ? (call.idempotencyKey ?? newKey()) : undefined;
  if (key !== undefined) setHeader(headers, "idempotency-key", quotedKey(key));
  if (operation.mediaType !== undefined && values.get("body") !== undefined) {
    headers.set("content-type", operation.mediaType);
  }
  const path = filledPath(operation, values);
  if (runtime.baseUrl === "" && path.startsWith("//")) throw new TypeError(`wrong path: ${path}`);
  const url = runtime.baseUrl + path + (query.length > 0 ? `?${query.join("&")}` : "");
  return { url, headers, body: encodedBody(operation, values.get("body")), key };
}

function listed(value: unknown): readonly unknown[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((one) => one !== undefined && one !== null);
}

function pair(name: string, value: unknown): string {
  return `${encodeURIComponent(name)}=${encodeURIComponent(textOf(value))}`;
}

function textOf(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function filledPath(operation: Operation, given: CallArguments): string {
  return operation.path.replace(/\{([^{}]+)\}/g, (_, name: string) => {
    const parameter = operation.parameters.find(
      (one) => one.name === name && (one.place === "path" || one.place === "slashes"),
    );
    const value = parameter === undefined ? undefined : given.get(parameter.key);
    if (value === undefined || value === null || value === "") {
      throw new TypeError(`${operation.method} ${operation.path}: ${name} is empty`);
    }
    const text = textOf(value);
    const segments = parameter?.place === "slashes" ? text.split("/") : [text];
    // URLs resolve these segments, encoded or not: the request would reach another path.
    if (segments.some((one) => one === "." || one === "..")) {
      throw new TypeError(`${operation.method} ${operation.path}: ${name} can't be ${text}`);
    }
    return segments.map(encodeURIComponent).join("/");
  });
}

function setHeader(headers: Map<string, string>, name: string, value: string): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
    throw new TypeError(`header ${JSON.stringify(name)} can't be ${JSON.stringify(value)}`);
  }
  headers.set(name.toLowerCase(), value);
}

function quotedKey(key: string): string {
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new TypeError("an idempotency key has 1 to 255 characters of ASCII");
  }
  return `"${key.replace(/["\\]/g, "\\$&")}"`;
}

/** Return a random UUID (version 4), also on platforms without `crypto.randomUUID`. */
function newKey(): string {
  const { crypto } = platform;
  if (crypto?.randomUUID !== undefined) return crypto.randomUUID();
  const bytes = new Uint8Array(16);
  if (crypto?.getRandomValues !== undefined) crypto.getRandomValues(bytes);
  else for (let index = 0; index < 16; index++) bytes[index] = Math.floor(Math.random() * 256);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function encodedBody(operation: Operation, body: unknown): unknown {
  if (body === undefined) return undefined;
  if (operation.body === "json") return JSON.stringify(body);
  if (operation.body === "form") {
    const fields = Object.entries(body as object);
    return fields.flatMap(([name, value]) => listed(value).map((one) => pair(name, one))).join("&");
  }
  return operation.body === "multipart" ? formOf(body as object) : body;
}

function formOf(fields: object): FormLike {
  const form = new platform.FormData();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of listed(value)) {
      if (typeof one !== "object" || one === null) form.append(name, String(one));
      else if ("data" in one && "name" in one) form.append(name, one.data, String(one.name));
      else if (isPlain(one)) form.append(name, "uri" in one ? one : JSON.stringify(one));
      else form.append(name, one);
    }
  }
  return form;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
