// Calls a client whose `fetch` is scripted, and prints what it returned.
import { ApiError, createEdgesClient, memoryEtagStore, unwrap } from "./edges_client.js";
import type { ClientOptions, EdgesClient, Failure, Result } from "./edges_client.js";

type Step = (url: string, init: RequestInit) => Response | Promise<Response>;

const waits: number[] = [];
const sent: { url: string; init: RequestInit }[] = [];

function scripted(steps: Step[], more: Partial<ClientOptions> = {}): EdgesClient {
  waits.length = 0;
  sent.length = 0;
  const left = [...steps];
  const options = {
    fetch: async (url: string, init: RequestInit) => {
      sent.push({ url, init });
      const step = left.length > 1 ? left.shift() : left[0];
      return (step as Step)(url, init);
    },
    wait: async (ms: number) => void waits.push(ms),
  };
  return createEdgesClient({ baseUrl: "https://shop.example/api/", ...options, ...more });
}

function answer(body: BodyInit | null, headers: Record<string, string> = {}, status = 200): Step {
  return () => new Response(body, { status, headers: { "content-type": "application/json", ...headers } });
}

function refusal(status: number, headers: Record<string, string> = {}): Step {
  const problem = JSON.stringify({ type: "/problems/x", title: "X", status, code: "x" });
  return answer(problem, { "content-type": "application/problem+json", ...headers }, status);
}

function inPieces(text: string, size: number, type = "application/x-ndjson"): Step {
  const bytes = new TextEncoder().encode(text);
  return () => {
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= bytes.length) controller.close();
        else controller.enqueue(bytes.slice(at, (at += size)));
      },
    });
    return new Response(body, { headers: { "content-type": type } });
  };
}

const broken: Step = () => Promise.reject(new TypeError("fetch failed"));

function kind(result: Result<unknown>): unknown {
  return result.ok ? result.data : result.kind;
}

/** What an app shows of a failure. */
function said(result: Result<unknown>): unknown {
  return result.ok ? [result.data] : `${result.kind}: ${result.message}`;
}

async function all<T>(lines: AsyncIterable<T>): Promise<[T[], string]> {
  const found: T[] = [];
  try {
    for await (const line of lines) found.push(line);
  } catch (error) {
    const { failure } = error as { failure: Failure };
    return [found, `${error instanceof ApiError} ${failure.kind} ${failure.problem?.code ?? ""}`];
  }
  return [found, ""];
}

function sentHeader(index: number, name: string): string | null {
  return (sent[index]?.init.headers as Record<string, string>)[name] ?? null;
}

const scenarios: Record<string, () => Promise<unknown>> = {
  async lettersInSeveralChunks() {
    const opened = await scripted([inPieces('"äöü€😀"\n\n"b"\r\n', 1)]).streamTexts();
    return all(unwrap(opened));
  },
  async lineWithoutEnd() {
    return all(unwrap(await scripted([inPieces('"a"\n12', 3)]).streamTexts()));
  },
  async lineThatIsNoJson() {
    return all(unwrap(await scripted([inPieces('"a"\n{"b\n', 3)]).streamTexts()));
  },
  async withoutStreams() {
    const step: Step = () => ({
      status: 200, headers: new Headers({ "content-type": "application/x-ndjson" }), text: async () => '"a"\n"b"\n',
    }) as unknown as Response;
    return all(unwrap(await scripted([step]).streamTexts()));
  },
  async events() {
    const text = ": hello\nid: 7\nevent: news\ndata: a\ndata:b\n\ndata: c\r\n\r\nevent: lost\n\ndata: cut";
    return all(unwrap(await scripted([inPieces(text, 1, "text/event-stream")]).watch()));
  },
  async streamsAreRepeatedBeforeTheirFirstLine() {
    const opened = await scripted([refusal(503), inPieces('"a"\n', 9)]).streamTexts();
    return [opened.attempts, opened.ok && (await all(opened.data))];
  },
  async progressive() {
    const lines = [
      { part: "a", status: "ok", value: { a: 1 } },
      { part: "b", status: "stale", age: 3 },
      { part: "c", status: "ok", value: { c: 2 } },
      { problem: { type: "t", title: "T", status: 502, code: "bad_status" }, parts: {} },
    ];
    const text = lines.map((one) => `${JSON.stringify(one)}\n`).join("");
    const opened = await scripted([inPieces(text, 5)]).progressive.getValue();
    return all(unwrap(opened));
  },
  async progressiveTimeout() {
    const never: Step = () =>
      new Response(new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{"part":"a","status":"ok"}\n')) }),
        { headers: { "content-type": "application/x-ndjson" } });
    const [lines, error] = await all(unwrap(await scripted([never]).progressive.getValue({}, { timeoutMs: 60 })));
    return [lines.length, error, sentHeader(0, "request-timeout") !== null];
  },
  async storeThatFails() {
    const fails = (): never => { throw new Error("full"); };
    const etags = { get: fails, set: fails, delete: fails, clear: () => undefined };
    return kind(await scripted([answer("1", { etag: '"1"' })], { etags }).getValue());
  },
  async progressiveCutOff() {
    const text = '{"part":"a","status":"ok"}\n';
    return all(unwrap(await scripted([inPieces(text, 99)]).progressive.getValue()));
  },
  async progressiveAsDocument() {
    const step = answer('{"a":1}', { "part-status": "a=ok" });
    return all(unwrap(await scripted([step]).progressive.getValue()));
  },
  async parts() {
    const field = 'a=ok, b=stale;age=12, c=fallback;reason=timeout, d=partial;reason="x,y;z", __proto__=ok';
    const result = await scripted([answer("{}", { "part-status": field })]).getValue();
    return result.ok && [Object.entries(result.parts), result.isPartial];
  },
  async staleIsComplete() {
    const result = await scripted([answer("{}", { "part-status": "a=ok, b=stale;age=1" })]).getValue();
    return result.ok && result.isPartial;
  },
  async repeated() {
    const found: unknown[] = [];
    for (const status of [429, 500, 501, 502, 503, 504, 409]) {
      const result = await scripted([refusal(status)]).getValue();
      found.push([status, result.attempts]);
    }
    return [...found, (await scripted([broken]).getValue()).attempts];
  },
  async backoff() {
    await scripted([refusal(503)]).getValue({}, { retry: { attempts: 4, delayMs: 1000 } });
    return waits.map((ms) => [1000, 2000, 4000].findIndex((most) => ms >= most / 2 && ms <= most));
  },
  async writesWithoutKey() {
    const result = await scripted([broken]).postPlain();
    return [kind(result), result.attempts, result.ok ? "" : result.idempotencyKey ?? null];
  },
  async writesUnderWay() {
    const api = scripted([refusal(409, { "retry-after": "1" }), answer("1")]);
    const result = await api.postKeyed();
    return [kind(result), sent.length, new Set(sent.map((_, index) => sentHeader(index, "idempotency-key"))).size];
  },
  async keyOfTheCaller() {
    await scripted([answer("1")]).postKeyed({}, { idempotencyKey: 'a"b\\c' });
    const key = sentHeader(0, "idempotency-key");
    const wrong = await scripted([answer("1")]).postKeyed({}, { idempotencyKey: "ü" }).catch(String);
    return [key, wrong, sent.length];
  },
  async longRetryAfter() {
    const result = await scripted([refusal(503, { "retry-after": "3600" })]).getValue();
    return [result.attempts, result.ok ? 0 : result.retryAfterSeconds];
  },
  async retryAfterIsADate() {
    const date = new Date(Date.now() + 5000).toUTCString();
    const result = await scripted([refusal(503, { "retry-after": date }), answer("{}")]).getValue();
    return [result.ok, (waits[0] ?? 0) > 3000 && (waits[0] ?? 0) < 5300];
  },
  async deadline() {
    const api = scripted([refusal(503, { "retry-after": "2" })]);
    const result = await api.getValue({}, { timeoutMs: 1500 });
    return [kind(result), result.attempts, Number(sentHeader(0, "request-timeout")) > 1.4];
  },
  async budget() {
    const api = scripted([refusal(503)]);
    for (let call = 0; call < 50; call++) await api.getValue();
    return sent.length;
  },
  async wrongBodies() {
    const html = { "content-type": "text/html" };
    const problem = { "content-type": "application/problem+json" };
    return [
      kind(await scripted([answer("<html>", html)]).getValue()),
      kind(await scripted([answer('{"a":')]).getValue()),
      kind(await scripted([answer('{"title":"No code"}', problem, 400)]).getValue()),
      kind(await scripted([answer("no json", problem, 400)]).getValue()),
      kind(await scripted([answer(null, {}, 304)]).getValue()),
      kind(await scripted([answer("")]).getValue()),
    ];
  },
  async cutBodies() {
    const cut: Step = () => {
      const body = new ReadableStream({ start: (controller) => controller.error(new TypeError("cut")) });
      return new Response(body, { headers: { "content-type": "application/json", "x-request-id": "r1" } });
    };
    const result = await scripted([cut], { retry: { attempts: 1 } }).getValue();
    return !result.ok && [result.kind, result.requestId];
  },
  async errorOfTheGatewaysOwn() {
    const result = await scripted([answer('{"why":"gone"}', {}, 410)]).getValue();
    return !result.ok && result.kind === "http" && result.body;
  },
  async etags() {
    const tagged = (etag: string, more: Record<string, string> = {}): Step =>
      (_, init) => (init.headers as Record<string, string>)["if-none-match"] === etag
        ? new Response(null, { status: 304, headers: { etag } })
        : new Response(etag, { headers: { "content-type": "application/json", etag, ...more } });
    const twice = async (step: Step, first = {}, second = first): Promise<unknown> => {
      const api = scripted([step]);
      await api.getValue({}, first);
      await api.getValue({}, second);
      return sentHeader(1, "if-none-match");
    };
    return {
      plain: await twice(tagged('"1"')),
      noStore: await twice(tagged('"1"', { "cache-control": "private, no-store" })),
      varyAll: await twice(tagged('"1"', { vary: "*" })),
      vary: await twice(tagged('"1"', { vary: "Accept-Language" }), { headers: { "accept-language": "de" } }),
      varied: await twice(
        tagged('"1"', { vary: "Accept-Language" }),
        { headers: { "accept-language": "de" } }, { headers: { "accept-language": "en" } },
      ),
      off: await twice(tagged('"1"'), { etag: false }),
    };
  },
  async lateAnswerOfAnotherViewer() {
    let viewer = "anna";
    let release: (response: Response) => void = () => undefined;
    const late = new Promise<Response>((resolve) => (release = resolve));
    const api = scripted([() => late, answer("2", { etag: '"2"' })], { token: () => viewer });
    const first = api.getValue();
    while (sent.length === 0) await Promise.resolve();
    viewer = "ben";
    await api.getValue({}, { etag: false });
    release(await answer("1", { etag: '"1"' })("", {}));
    await first;
    await api.getValue();
    return sentHeader(2, "if-none-match");
  },
  async boundedStore() {
    const store = memoryEtagStore(2, 100);
    const entry = { etag: "", text: "x", parts: "", vary: {} };
    for (const key of ["a", "b"]) await store.set(key, entry);
    await store.get("a");
    await store.set("c", entry);
    await store.set("large", { ...entry, text: "x".repeat(26) });
    const found = [];
    for (const key of ["a", "b", "c", "large"]) found.push((await store.get(key)) !== undefined);
    return found;
  },
  async versionOfACall() {
    const api = scripted([answer("1")], { appVersion: "5" });
    await api.getVersioned({ "X-App-Version": "6" });
    await api.getVersioned();
    return [sentHeader(0, "x-app-version"), sentHeader(1, "x-app-version")];
  },
  async headersThatCanNotBeSent() {
    const found = [];
    for (const value of ["a\nb", "ü€"]) {
      found.push(await scripted([answer("{}")]).getValue({}, { headers: { "x-a": value } }).catch(String));
    }
    return [...found, sent.length];
  },
  async sessions() {
    await scripted([answer("{}")]).getValue();
    const { credentials } = sent[0]?.init ?? {};
    return [credentials, sentHeader(0, "x-csrf"), sent[0]?.url];
  },
  async downloads() {
    const step = answer("%PDF", { "content-type": "application/pdf" });
    const result = await scripted([step]).getFile();
    return result.ok && [result.data.size, await result.data.text(), sentHeader(0, "accept")];
  },
  async texts() {
    const result = await scripted([answer("a;b", { "content-type": "text/csv" })]).getTable();
    return kind(result);
  },
  async uploads() {
    const api = scripted([answer("1")]);
    const one = { data: new Blob(["x"]), name: "a.png" };
    await api.postForm({ body: { file: one, files: [one, new Blob(["y"])], note: "n", size: 3 } });
    const form = sent[0]?.init.body as FormData;
    const names = [...form.entries()].map(([name, value]) => [name, typeof value === "string" ? value : value.name]);
    return [names, sentHeader(0, "content-type")];
  },
  async headersOfARequest() {
    const headers = ({ method, url, token }: { method: string; url: string; token: string | null }) =>
      ({ dpop: `${method} ${url} ${token}`, "x-none": undefined });
    await scripted([answer("1")], { headers, token: "t", tokenScheme: "DPoP" }).postPlain();
    return [sentHeader(0, "dpop"), sentHeader(0, "authorization"), sentHeader(0, "x-none")];
  },
  async tokenThatFails() {
    const token = (): string => { throw new Error("locked"); };
    return scripted([answer("{}")], { token }).getValue().catch(String);
  },
  async abortedBefore() {
    const result = await scripted([answer("{}")]).getValue({}, { signal: AbortSignal.abort("gone") });
    return [kind(result), result.attempts, sent.length];
  },
  async signalsAreReleased() {
    let listeners = 0;
    const signal = new AbortController().signal;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: never) => { listeners++; add(type, listener); };
    signal.removeEventListener = (type: string, listener: never) => { listeners--; remove(type, listener); };
    await scripted([answer("{}")]).getValue({}, { signal });
    await all(unwrap(await scripted([inPieces('"a"\n', 9)]).streamTexts({}, { signal })));
    return listeners;
  },
  async aTypeThatIsNotPromised() {
    const html = { "content-type": "text/html" };
    return [
      said(await scripted([answer(null, {}, 204)]).getValue()),
      said(await scripted([answer(null, {}, 204)]).postOptional()),
      said(await scripted([answer("1", { "content-type": "text/plain" })]).getValue()),
      said(await scripted([answer("NaN")]).getValue()),
      said(await scripted([answer("\uFEFF1")]).getValue()),
      said(await scripted([answer("[".repeat(100_000))]).getValue()),
      said(await scripted([answer("<p>sign in</p>", html)]).streamTexts()),
      said(await scripted([answer("<p>sign in</p>", html)]).watch()),
      said(await scripted([answer("<p>sign in</p>", html)]).progressive.getValue()),
    ];
  },
  async oddProblems() {
    const problem = { "content-type": "Application/Problem+JSON; charset=utf-8" };
    const later = '{"code":"busy","retry_after":3600}';
    const result = await scripted([answer(later, problem, 503)]).getValue();
    return [said(result), result.ok || result.retryAfterSeconds, result.attempts];
  },
  async oddRetryAfter() {
    const found: unknown[] = [];
    for (const field of ["-5", "0x10", "1e9", "apples 5", "soon", "", "Sun, 06 Nov 1994 08:49:37 GMT"]) {
      const result = await scripted([refusal(500, { "retry-after": field })]).getValue();
      found.push(result.ok || (result.retryAfterSeconds ?? null));
    }
    return found;
  },
  async oddParts() {
    const found: unknown[] = [];
    for (const field of ["a, =ok, b=, ;;;, A=ok, c=ok", 'a="', "a=stale;age=-1", "a=stale;age=0x9"]) {
      const result = await scripted([answer("{}", { "part-status": field })]).getValue();
      found.push(result.ok && result.parts);
    }
    return found;
  },
  async refusedTogether() {
    let renewals = 0;
    const token = async (refused?: string): Promise<string> => {
      if (refused === undefined) return "old";
      renewals++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return "new";
    };
    const step: Step = (url, init) => {
      const isOld = (init.headers as Record<string, string>)["authorization"] === "Bearer old";
      return (isOld ? refusal(401) : answer("1"))(url, init);
    };
    const api = scripted([step], { token });
    const results = await Promise.all([api.getValue(), api.getValue(), api.postPlain()]);
    return [results.map(kind), renewals, sent.length];
  },
  async tokenThatHangs() {
    const never = new Promise<string>(() => undefined);
    const first = await scripted([refusal(401)], { token: () => never }).getValue({}, { timeoutMs: 20 });
    const token = (refused?: string): string | Promise<string> => (refused === undefined ? "old" : never);
    const second = await scripted([refusal(401)], { token }).getValue({}, { timeoutMs: 20 });
    return [said(first), said(second)];
  },
  async slowHeadersOfAnotherViewer() {
    let viewer = "anna";
    let release: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (release = resolve));
    const headers = async ({ token }: { token: string | null }) => {
      if (token === "anna") await slow;
      return {};
    };
    const step: Step = (url, init) =>
      answer(JSON.stringify((init.headers as Record<string, string>)["authorization"]), { etag: '"1"' })(url, init);
    const api = scripted([step], { token: () => viewer, headers });
    const late = api.getValue();
    await new Promise((resolve) => setTimeout(resolve));
    viewer = "ben";
    await api.getValue();
    release();
    await late;
    await api.getValue();
    return sent.map((_, index) => [sentHeader(index, "authorization"), sentHeader(index, "if-none-match")]);
  },
  async namesOfPrototypes() {
    await scripted([answer("1")]).getNames();
    const none = sent[0]?.url;
    await scripted([answer("1")]).getNames({ constructor: "a", toString: "b", query___proto__: "c" } as never);
    return [none, sent[0]?.url];
  },
  async nothingInAList() {
    await scripted([answer("1")]).getNames({ toString: ["a", null, undefined, "b"] } as never);
    return sent[0]?.url;
  },
  async storesThatForgetUndefined() {
    const store = memoryEtagStore();
    const etags = { ...store, set: (key: string, entry: object) => store.set(key, JSON.parse(JSON.stringify(entry))) };
    const api = scripted([answer("1", { etag: '"1"', vary: "Accept-Language" })], { etags });
    await api.getValue();
    await api.getValue({}, { headers: { "accept-language": "de" } });
    return sentHeader(1, "if-none-match");
  },
  async eventsOfOtherServers() {
    const pieces = ["\uFEFFdata: a\r", "\n\r", "\nevent:\nid: 1\0\rdata:b\r\r", "data: cut"];
    const body = (): ReadableStream => new ReadableStream({
      start(controller) {
        for (const one of pieces) controller.enqueue(new TextEncoder().encode(one));
        controller.close();
      },
    });
    const step: Step = () => new Response(body(), { headers: { "content-type": "text/event-stream; charset=utf-8" } });
    return all(unwrap(await scripted([step]).watch()));
  },
  async aLongLine() {
    const text = "x".repeat(20_000_000);
    const [lines, error] = await all(unwrap(await scripted([inPieces(`"${text}"\n`, 4096)]).streamTexts()));
    return [lines.length, lines[0] === text, error];
  },
  async streamsThatAreLeft() {
    let isCancelled = false;
    const step: Step = () => new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new TextEncoder().encode('"a"\n')),
        cancel: () => void (isCancelled = true),
      }, { highWaterMark: 0 }),
      { headers: { "content-type": "application/x-ndjson" } },
    );
    for await (const line of unwrap(await scripted([step]).streamTexts())) if (line === "a") break;
    await new Promise((resolve) => setTimeout(resolve));
    return [isCancelled, sent[0]?.init.signal?.aborted];
  },
  async linesThatAreNoLines() {
    const opened = await scripted([inPieces("null\n", 9)]).progressive.getValue();
    const odd = await scripted([inPieces('{"problem":null}\n{"part":"a","status":"ok"}\n', 9)]).progressive.getValue();
    return [await all(unwrap(opened)), (await all(unwrap(odd)))[1]];
  },
  async reasonsOfNode() {
    const refused = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED 10.0.0.1:443") });
    return [
      said(await scripted([() => Promise.reject(refused)]).getValue()),
      said(await scripted([() => Promise.reject("odd")]).getValue()),
    ];
  },
  async platformsWithoutCrypto() {
    const { crypto } = globalThis;
    Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
    const result = await scripted([answer("1")]).postKeyed();
    Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true });
    return /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(result.idempotencyKey ?? "");
  },
};

const found: Record<string, unknown> = {};
for (const [name, scenario] of Object.entries(scenarios)) found[name] = await scenario();
console.log(JSON.stringify(found));
