// Calls each view of the gateway `shop`, and prints what the client returned.
import { createShopClient, unwrap, ApiError } from "./shop.js";
import type { Failure, GetProductResult, ShopClient } from "./shop.js";

declare const process: { argv: string[]; exitCode: number };

const baseUrl = process.argv[2] ?? "";
const waits: number[] = [];
const sent: { url: string; headers: Record<string, string> }[] = [];

const spying: typeof fetch = (url, init) => {
  sent.push({ url: String(url), headers: init?.headers as Record<string, string> });
  return fetch(url, init);
};

function client(token?: string): ShopClient {
  return createShopClient({
    baseUrl,
    token,
    fetch: spying,
    appVersion: "5.2.0",
    wait: async (ms) => void waits.push(ms),
  });
}

function failure(error: unknown): Failure {
  if (error instanceof ApiError) return error.failure;
  throw error;
}

const scenarios: Record<string, () => Promise<unknown>> = {
  async parts() {
    const result: GetProductResult = await client().getProduct({ product_id: "tent" });
    if (!result.ok) return result.problem?.code;
    const { data, parts, isPartial, status } = result;
    const kind: "gear" | "book" = data.kind;
    const price: string = data.price;
    const stars: number | null = data.stars;
    return { kind, price, stars, parts, isPartial, status, title: data.title, reason: parts.stars?.reason };
  },
  async problem() {
    const result = await client().getProduct({ product_id: "no such thing/?" });
    if (result.ok) return "found";
    if (result.kind !== "problem") return result.kind;
    const isMissing = result.problem.code === "not_found";
    return { isMissing, status: result.status, hasId: result.requestId !== undefined, limits: result.rateLimits };
  },
  async faults() {
    const body = { sku: "tent", quantity: "many" as unknown as number };
    const result = await client().postOrder({ body });
    return result.ok ? "placed" : [result.problem?.code, result.problem?.errors?.map((one) => one.pointer)];
  },
  async etag() {
    const api = client("anna");
    const first = await api.getAccount();
    const second = await api.getAccount();
    if (!first.ok || !second.ok) return "failed";
    const facts = [first.isNotModified, second.isNotModified, second.status, second.data, second.parts];
    await api.clearAnswers();
    const third = await api.getAccount();
    return [...facts, third.ok && third.isNotModified];
  },
  async viewers() {
    let viewer = "anna";
    const api = createShopClient({ baseUrl, token: () => viewer, fetch: spying });
    const anna = unwrap(await api.getAccount());
    viewer = "ben";
    const from = sent.length;
    const ben = await api.getAccount();
    return [anna, ben.ok && ben.data, ben.ok && ben.isNotModified, sent[from]?.headers["if-none-match"] ?? null];
  },
  async refresh() {
    const tokens: (string | undefined)[] = [];
    const token = (refused?: string): string => {
      tokens.push(refused);
      return refused === undefined ? "expired" : "carla";
    };
    const result = await createShopClient({ baseUrl, token }).getAccount();
    return [result.ok && result.data, tokens.filter((one) => one !== undefined), result.attempts];
  },
  async anonymous() {
    const result = await client().getAccount();
    return result.ok ? "signed in" : result.problem?.code;
  },
  async retry() {
    waits.length = 0;
    const result = await client().getBusy();
    return [result.ok && result.data, result.attempts, waits.map((ms) => Math.floor(ms / 1000))];
  },
  async keys() {
    const from = sent.length;
    const order = { body: { sku: "tent", quantity: 1 } };
    const first = await client().postOrder(order);
    const keys = new Set(sent.slice(from).map((one) => one.headers["idempotency-key"]));
    const again = await client().postOrder(order, { idempotencyKey: first.idempotencyKey });
    const other = await client().postOrder({ body: { sku: "stove", quantity: 1 } }, { idempotencyKey: first.idempotencyKey });
    const paid = first.ok && first.data.paid_with;
    const voucher = paid !== false && paid.type === "voucher" ? paid.code : "card";
    return {
      attempts: first.attempts, keys: keys.size, voucher,
      first: first.ok && [first.status, first.data.number, first.isReplayed],
      again: again.ok && [again.data.number, again.isReplayed],
      other: !other.ok && other.problem?.code,
    };
  },
  async nothing() {
    const result = await client().deleteOrder({ number: 7 });
    return [result.ok, result.status, result.ok && result.data === undefined];
  },
  async lines() {
    const rows: string[] = [];
    for await (const row of unwrap(await client().streamLines({ count: 4 }))) rows.push(row.sku);
    return rows;
  },
  async broken() {
    const rows: string[] = [];
    try {
      for await (const row of unwrap(await client().streamBroken())) rows.push(row.sku);
    } catch (error) {
      return [rows, failure(error).kind];
    }
    return "complete";
  },
  async endless() {
    const aborter = new AbortController();
    const opened = await client().streamEndless({}, { signal: aborter.signal });
    try {
      for await (const row of unwrap(opened)) aborter.abort(row.sku);
    } catch (error) {
      const found = failure(error);
      return found.kind === "aborted" ? [found.kind, found.cause] : found.kind;
    }
    return "ended";
  },
  async left() {
    for await (const row of unwrap(await client().streamEndless())) return row.quantity;
    return "empty";
  },
  async progressive() {
    const shown: unknown[] = [];
    for await (const line of unwrap(await client().progressive.getProduct({ product_id: "tent" }))) {
      if (line.type === "answer") shown.push([line.type, line.data.title, line.isPartial]);
      else shown.push([line.part, line.status.status, line.value, line.partial]);
    }
    return shown;
  },
  async refusedProgressive() {
    const result = await client().progressive.getProduct({ product_id: "sock" });
    return result.ok ? "found" : [result.problem?.code, result.status];
  },
  async page() {
    const result = await client().getPage(undefined, { retry: { attempts: 1 } });
    return !result.ok && result.kind === "http" ? [result.status, result.body] : "no page";
  },
  async network() {
    const api = createShopClient({ baseUrl: "http://127.0.0.1:1", wait: async () => undefined });
    const result = await api.getBusy();
    return [result.ok ? "" : result.kind, result.attempts];
  },
  async timeout() {
    const result = await client().getNever({}, { timeoutMs: 50 });
    return [result.ok ? "" : result.kind, result.attempts];
  },
  async aborted() {
    const aborter = new AbortController();
    const calling = client().getNever({}, { signal: aborter.signal });
    aborter.abort("left the page");
    const result = await calling;
    return !result.ok && result.kind === "aborted" ? result.cause : result;
  },
  async addresses() {
    const api = client();
    const from = sent.length;
    const file = unwrap(await api.getFile({ path: "a b/ü?/c", tag: ["x&y", "z"] }));
    const name = unwrap(await api.getNames({ tenant: "a?b#ü" }));
    const refused = await api.getNames({ tenant: ".." }).catch((error: unknown) => String(error));
    const { url = "", headers = {} } = sent[from] ?? {};
    return { file, name, refused, url: url.slice(baseUrl.length), version: headers["x-app-version"] };
  },
  async upload() {
    const picture = { data: new Blob(["12345"]), name: "tent.png" };
    return unwrap(await client().postUpload({ body: { picture, caption: "Süd", tags: ["a", "b"] } }));
  },
};

const found: Record<string, unknown> = {};
for (const [name, scenario] of Object.entries(scenarios)) found[name] = await scenario();
console.log(JSON.stringify(found));
