interface Runtime {
  readonly baseUrl: string;
  readonly options: ClientOptions;
  readonly fetch: Fetch;
  readonly etags: EtagStore | undefined;
  readonly hasSessions: boolean;
  /** Repetitions that may be made now: each call adds a fifth of one, ten are the most. */
  budget: number;
  /** The token of the viewer whose answers are stored, and how often it has changed. */
  viewer: string | null | undefined;
  generation: number;
  /** Requests for another token that are under way, by the token that was refused. */
  readonly renewals: Map<string, Promise<string | null>>;
}

function createRuntime(options: ClientOptions, hasSessions: boolean): Runtime {
  const { etags = memoryEtagStore() } = options;
  return {
    baseUrl: options.baseUrl.replace(/\/+$/, ""),
    options,
    fetch: options.fetch ?? ((url, init) => (platform.fetch as Fetch)(url, init)),
    etags: etags === false ? undefined : etags,
    hasSessions,
    budget: 10,
    viewer: undefined,
    generation: 0,
    renewals: new Map(),
  };
}

async function forgetAnswers(runtime: Runtime): Promise<void> {
  runtime.generation++;
  await runtime.etags?.clear();
}

/** The time of a call: it ends by its timeout, by the caller's signal, or when it is closed. */
class CallClock {
  readonly signal: SignalLike;
  ended: "timeout" | "aborted" | undefined;
  cause: unknown;
  isHeld = false;
  readonly #controller = new platform.AbortController();
  readonly #outer: SignalLike | undefined;
  readonly #ends: number;
  #timer: unknown;
  #stop: () => void = () => undefined;
  readonly #stopped = new Promise<void>((resolve) => (this.#stop = resolve));

  constructor(timeoutMs: number, outer: CallSignal | undefined) {
    this.signal = this.#controller.signal;
    this.#ends = Date.now() + timeoutMs;
    this.#outer = outer as SignalLike | undefined;
    // Timers of platforms end at once if their delay has more than 31 bits.
    if (timeoutMs < 2 ** 31) this.#timer = platform.setTimeout(() => this.#end("timeout"), timeoutMs);
    if (this.#outer?.aborted === true) this.#abort();
    else this.#outer?.addEventListener("abort", this.#abort);
  }

  get remainingMs(): number {
    return this.#ends - Date.now();
  }

  /** Wait for a promise, but not beyond the end of the call. */
  async within<T>(promise: Promise<T>): Promise<T> {
    await Promise.race([promise.catch(() => undefined), this.#stopped]);
    if (this.ended !== undefined) {
      promise.catch(() => undefined);
      throw this.cause ?? new Error(this.ended);
    }
    return promise;
  }

  /** Let the call go on after its response has begun; its reader closes the clock. */
  hold(): void {
    this.isHeld = true;
  }

  /** The same, for as long as the caller wants. */
  lift(): void {
    this.hold();
    platform.clearTimeout(this.#timer);
  }

  /** Abort what is still under way. */
  stop(): void {
    this.close();
    this.#controller.abort();
  }

  close(): void {
    platform.clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => this.#end("aborted", this.#outer?.reason);

  #end(how: "timeout" | "aborted", cause?: unknown): void {
    if (this.ended !== undefined) return;
    this.ended = how;
    this.cause = cause;
    this.#stop();
    this.#controller.abort();
  }
}

/** A request with the headers of this attempt, and the answer that is stored for it. */
interface Attempt {
  readonly number: number;
  readonly token: string | null;
  readonly request: OutgoingRequest;
  readonly headers: ReadonlyMap<string, string>;
  readonly stored: EtagEntry | undefined;
  readonly generation: number;
  readonly clock: CallClock;
}

type Receive<T extends { readonly ok: true }> = (
  attempt: Attempt, response: HttpResponse,
) => Promise<T | Failure>;

/** Send the requests of a call until one succeeds or none may follow. */
async function exchange<T extends { readonly ok: true }>(
  runtime: Runtime, operation: Operation, given: object, call: WriteOptions, accept: string,
  receive: Receive<T>,
): Promise<T | Failure> {
  const request = outgoing(runtime, operation, given, call, accept);
  const clock = new CallClock(call.timeoutMs ?? runtime.options.timeoutMs ?? 30_000, call.signal);
  runtime.budget = Math.min(10, runtime.budget + 0.2);
  let refused: string | null = null;
  let renewed: string | null = null;
  try {
    for (let number = 1; ; number++) {
      const prepared = prepare(runtime, operation, call, request, clock, number, renewed);
      const attempt = await clock.within(prepared).catch(unlessEnded(clock));
      if (attempt === undefined) return withoutResponse(clock, number - 1, request, undefined);
      const result = await send(runtime, operation, attempt, receive);
      if (result.ok) return result;
      const failure = result as Failure;
      if (failure.status === 401 && refused === null && attempt.token !== null) {
        refused = attempt.token;
        renewed = (await clock.within(renewal(runtime, refused)).catch(unlessEnded(clock))) ?? null;
        if (clock.ended !== undefined) return withoutResponse(clock, number, request, undefined);
        if (renewed !== null && renewed !== refused) continue;
      }
      const delayMs = delayBefore(runtime, operation, call, attempt, failure);
      if (delayMs === undefined) return failure;
      runtime.budget--;
      await clock.within((runtime.options.wait ?? pause)(delayMs)).catch(unlessEnded(clock));
      if (clock.ended !== undefined) return withoutResponse(clock, number, request, undefined);
    }
  } finally {
    if (!clock.isHeld) clock.close();
  }
}

function unlessEnded(clock: CallClock): (error: unknown) => undefined {
  return (error) => {
    if (clock.ended === undefined) throw error;
    return undefined;
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => platform.setTimeout(resolve, ms));
}

async function tokenOf(runtime: Runtime, refused?: string): Promise<string | null> {
  const { token } = runtime.options;
  return (typeof token === "function" ? await token(refused) : token) ?? null;
}

/** Request another token: once, if calls that are under way were refused together. */
function renewal(runtime: Runtime, refused: string): Promise<string | null> {
  const known = runtime.renewals.get(refused);
  if (known !== undefined) return known;
  const renewing = tokenOf(runtime, refused).finally(() => runtime.renewals.delete(refused));
  runtime.renewals.set(refused, renewing);
  return renewing;
}

async function prepare(
  runtime: Runtime, operation: Operation, call: WriteOptions, request: OutgoingRequest,
  clock: CallClock, number: number, renewed: string | null,
): Promise<Attempt> {
  const { options } = runtime;
  const token = renewed ?? (await tokenOf(runtime));
  let { generation } = runtime;
  if (token !== runtime.viewer) {
    runtime.viewer = token;
    const forgotten = forgetAnswers(runtime);
    generation = runtime.generation;
    await forgotten;
  }
  const headers = new Map(request.headers);
  const timeoutMs = call.timeoutMs ?? options.timeoutMs;
  if (timeoutMs !== undefined && operation.reads !== "lines" && operation.reads !== "events") {
    headers.set("request-timeout", (Math.max(1, clock.remainingMs) / 1000).toFixed(3));
  }
  if (runtime.hasSessions) headers.set("x-csrf", "1");
  if (options.appVersion !== undefined && !headers.has("x-app-version")) {
    setHeader(headers, "x-app-version", options.appVersion);
  }
  if (token !== null) setHeader(headers, "authorization", `${options.tokenScheme ?? "Bearer"} ${token}`);
  const facts: RequestFacts = { method: operation.method, url: request.url, token };
  const common = typeof options.headers === "function" ? await options.headers(facts) : options.headers;
  for (const [name, value] of [...Object.entries(common ?? {}), ...Object.entries(call.headers ?? {})]) {
    if (value !== undefined) setHeader(headers, name, value);
  }
  const isStored = usesEtags(runtime, operation, call) && !headers.has("if-none-match");
  const found = isStored ? await storedAnswer(runtime, request, headers) : undefined;
  const stored = generation === runtime.generation ? found : undefined; // else it is another viewer's
  if (stored !== undefined) headers.set("if-none-match", stored.etag);
  return { number, token, request, headers, stored, generation, clock };
}

async function send<T extends { readonly ok: true }>(
  runtime: Runtime, operation: Operation, attempt: Attempt, receive: Receive<T>,
): Promise<T | Failure> {
  const { clock, request, number } = attempt;
  const credentials = runtime.options.credentials ?? (runtime.hasSessions ? "include" : undefined);
  const init = {
    method: operation.method,
    headers: Object.fromEntries(attempt.headers),
    signal: clock.signal,
    ...(request.body === undefined ? {} : { body: request.body }),
    ...(credentials === undefined ? {} : { credentials }),
  };
  let response: HttpResponse | undefined;
  try {
    response = await clock.within(runtime.fetch(request.url, init));
    const { status } = response;
    const isGood = (status >= 200 && status < 300) || (status === 304 && attempt.stored !== undefined);
    const receiving = isGood ? receive(attempt, response) : failureOf(attempt, response);
    return await clock.within<T | Failure>(receiving);
  } catch (error) {
    return withoutResponse(clock, number, request, error, response);
  }
}

/** Return the failure of a call without a complete response; `response` is what has begun of it. */
function withoutResponse(
  clock: CallClock, attempts: number, request: OutgoingRequest, error: unknown, response?: HttpResponse,
): Failure {
  const requestId = response?.headers.get("x-request-id") ?? undefined;
  const facts = {
    ok: false, status: 0, requestId, retryAfterSeconds: undefined, rateLimits: [],
    idempotencyKey: request.key, attempts,
  } as const;
  if (clock.ended === "timeout") return { ...facts, kind: "timeout", message: "the call timed out" };
  if (clock.ended === "aborted") {
    return { ...facts, kind: "aborted", message: "the call was aborted", cause: clock.cause };
  }
  return { ...facts, kind: "network", message: `no complete response: ${reasonOf(error)}`, cause: error };
}

/** Return what an error says; those of Node have the reason in their cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof Error && cause.message !== "" ? `${error.message}: ${cause.message}` : error.message;
}

/** Return the failure that a response reports; `text` is its body, if it has been read. */
async function failureOf(attempt: Attempt, response: HttpResponse, text?: string): Promise<Failure> {
  const { headers, status } = response;
  const body = text ?? (await response.text());
  const facts = {
    ok: false, status, headers, attempts: attempt.number, idempotencyKey: attempt.request.key,
    requestId: headers.get("x-request-id") ?? undefined,
    retryAfterSeconds: retryAfterOf(headers), rateLimits: rateLimitsOf(headers),
  } as const;
  const value = isJson(headers) ? parsed(body) : undefined;
  if (mediaType(headers) === "application/problem+json" && hasCode(value)) {
    const retryAfterSeconds = facts.retryAfterSeconds ?? secondsOf(value);
    return { ...facts, retryAfterSeconds, kind: "problem", problem: value, message: messageOf(value) };
  }
  const message = `unexpected response ${status} of ${headers.get("content-type") ?? "no type"}`;
  return { ...facts, kind: "http", body: value ?? body.slice(0, 10_000), message };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function messageOf({ code, detail, title }: Problem): string {
  return `${code}: ${detail ?? title ?? "no details"}`;
}

function secondsOf({ retry_after: seconds }: Problem): number | undefined {
  return typeof seconds === "number" && seconds >= 0 ? seconds : undefined;
}

function hasCode(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "code" in value && typeof value.code === "string";
}

const REPEATABLE: readonly number[] = [429, 502, 503, 504];

/** Return the milliseconds to wait before the next attempt; undefined if there is none. */
function delayBefore(
  runtime: Runtime, operation: Operation, call: WriteOptions, attempt: Attempt, failure: Failure,
): number | undefined {
  const { attempts = 3, delayMs = 200, maxDelayMs = 10_000 } = { ...runtime.options.retry, ...call.retry };
  const isSafe = operation.method === "GET" || operation.method === "HEAD";
  const isUnderWay = failure.status === 409 && failure.retryAfterSeconds !== undefined;
  const mayFollow = failure.kind === "network" || REPEATABLE.includes(failure.status) || isUnderWay;
  if (attempt.number >= attempts || runtime.budget < 1 || !mayFollow) return undefined;
  if (!isSafe && attempt.request.key === undefined) return undefined;
  const backoff = Math.min(maxDelayMs, delayMs * 2 ** (attempt.number - 1)) * (0.5 + Math.random() / 2);
  const retryAfter = failure.retryAfterSeconds;
  // Clients that were refused together do not come back together.
  const delay = retryAfter === undefined ? backoff : retryAfter * 1000 + Math.random() * delayMs;
  if (retryAfter !== undefined && retryAfter * 1000 > maxDelayMs) return undefined;
  return delay < attempt.clock.remainingMs ? delay : undefined;
}
