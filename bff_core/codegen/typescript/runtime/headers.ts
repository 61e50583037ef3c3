interface FieldMember {
  readonly name: string;
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Read a structured field (RFC 9651): a dictionary, or a list of items. */
function fieldMembers(text: string | null): FieldMember[] {
  const members = splitField(text ?? "", ",").filter((one) => one !== "");
  return members.map((member) => {
    const [head = "", ...rest] = splitField(member, ";");
    const [name, value] = assignment(head);
    return { name, value, parameters: new Map(rest.map(assignment)) };
  });
}

/** Split a field at a separator outside of quotes. */
function splitField(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (isQuoted && character === "\\") index++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && character === separator) {
      pieces.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  pieces.push(text.slice(start).trim());
  return pieces;
}

function assignment(text: string): [string, string] {
  const index = text.startsWith('"') ? -1 : text.indexOf("=");
  if (index < 0) return [unquoted(text), ""];
  return [text.slice(0, index).trim(), unquoted(text.slice(index + 1).trim())];
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, "$1") : text;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function partsOf<Name extends string>(field: string | null): Parts<Name> {
  const members = fieldMembers(field).filter(
    ({ name, value }) => value !== "" && /^[a-z*][a-z0-9_.*-]*$/.test(name),
  );
  const found = members.map(({ name, value, parameters }) => {
    const reason = parameters.get("reason");
    const age = numberOf(parameters.get("age"));
    const status: PartStatus = {
      status: value as PartState,
      ...(reason === undefined ? {} : { reason }),
      ...(age === undefined ? {} : { age }),
    };
    return [name, status] as const;
  });
  return Object.fromEntries(found) as Parts<Name>;
}

function isDegraded(parts: Parts): boolean {
  return Object.values(parts).some((one) => one?.status !== "ok" && one?.status !== "stale");
}

function rateLimitsOf(headers: ResponseHeaders): RateLimit[] {
  const policies = new Map(
    fieldMembers(headers.get("ratelimit-policy")).map((one) => [one.name, one.parameters]),
  );
  return fieldMembers(headers.get("ratelimit")).map(({ name, parameters }) => ({
    policy: name,
    remaining: numberOf(parameters.get("r")) ?? 0,
    resetSeconds: numberOf(parameters.get("t")),
    quota: numberOf(policies.get(name)?.get("q")),
    windowSeconds: numberOf(policies.get(name)?.get("w")),
  }));
}

/** Return the seconds of `Retry-After`, which is a number or a date. */
function retryAfterOf(headers: ResponseHeaders): number | undefined {
  const field = headers.get("retry-after");
  if (field === null) return undefined;
  if (!/^[A-Z][a-z]+,? .*\d\d:\d\d:\d\d/.test(field)) return numberOf(field.trim());
  const seconds = (Date.parse(field) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

function mediaType(headers: ResponseHeaders): string {
  return (headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** Whether a media type is JSON: `application/json`, `application/problem+json`. */
function isJson(headers: ResponseHeaders): boolean {
  const type = mediaType(headers);
  return type === "application/json" || type.endsWith("+json");
}
