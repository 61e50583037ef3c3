/** A line of a progressive response: a part that is done, or at last the complete answer. */
export type ProgressiveLine<T, Early extends object = object, Name extends string = string> =
  | {
      readonly [N in keyof Early & string]: {
        readonly type: "part";
        readonly part: N;
        readonly status: PartStatus;
        readonly value: Early[N];
        /** The pieces of the answer that have arrived so far. */
        readonly partial: Partial<T>;
      };
    }[keyof Early & string]
  | {
      readonly type: "part";
      readonly part: Name;
      readonly status: PartStatus;
      readonly value?: undefined;
      readonly partial: Partial<T>;
    }
  | {
      readonly type: "answer";
      readonly data: T;
      readonly parts: Parts<Name>;
      readonly isPartial: boolean;
    };

/** Call an operation whose parts arrive one by one. */
async function openProgressive<T, Early extends object, Name extends string, Code extends string>(
  runtime: Runtime, operation: Operation, given: object = {}, call: CallOptions = {},
): Promise<Result<Lines<ProgressiveLine<T, Early, Name>>, Name, Code>> {
  const receive: Receive<Success<Lines<ProgressiveLine<T, Early, Name>>, Name>> = async (attempt, response) => {
    const type = mediaType(response.headers);
    if (type !== "application/x-ndjson" && !isJson(response.headers)) return failureOf(attempt, response);
    attempt.clock.hold();
    // A view with nothing to show early may answer with the document itself.
    const read = type === "application/x-ndjson"
      ? progressiveOf<T, Early, Name>(attempt, response)
      : wholeOf<T, Early, Name>(attempt, response);
    return success(attempt, response, linesOf(attempt, response, read));
  };
  const accept = "application/x-ndjson, application/json;q=0.5";
  const options = { ...call, etag: false };
  const result = await exchange(runtime, operation, given, options, accept, receive);
  return result as Result<Lines<ProgressiveLine<T, Early, Name>>, Name, Code>;
}

interface WireLine {
  readonly part?: string;
  readonly status?: PartState;
  readonly reason?: PartReason;
  readonly age?: number;
  readonly value?: unknown;
  readonly answer?: unknown;
  readonly problem?: Problem;
  readonly parts?: Parts;
}

async function* progressiveOf<T, Early extends object, Name extends string>(
  attempt: Attempt, response: HttpResponse,
): AsyncGenerator<ProgressiveLine<T, Early, Name>> {
  let partial: Partial<T> = {};
  for await (const read of valuesOf(response)) {
    if (typeof read !== "object" || read === null) throw new SyntaxError("a line is no object");
    const line = read as WireLine;
    if (hasCode(line.problem)) throw new ApiError(lateProblem(attempt, response, line.problem));
    if ("answer" in line) {
      const parts = (line.parts ?? {}) as Parts<Name>;
      yield { type: "answer", data: line.answer as T, parts, isPartial: isDegraded(parts) };
      return;
    }
    const { part, value, ...status } = line;
    if (typeof value === "object" && value !== null) partial = { ...partial, ...value };
    const shown = value === undefined ? {} : { value };
    yield { type: "part", part, status, partial, ...shown } as ProgressiveLine<T, Early, Name>;
  }
  throw new Error("the response has no last line");
}

async function* wholeOf<T, Early extends object, Name extends string>(
  attempt: Attempt, response: HttpResponse,
): AsyncGenerator<ProgressiveLine<T, Early, Name>> {
  const text = await response.text();
  const data = isJson(response.headers) ? parsed(text) : undefined;
  if (data === undefined) throw new ApiError(await failureOf(attempt, response, text));
  const parts = partsOf<Name>(response.headers.get("part-status"));
  yield { type: "answer", data: data as T, parts, isPartial: isDegraded(parts) };
}

function lateProblem(attempt: Attempt, response: HttpResponse, problem: Problem): Failure {
  return {
    ok: false, kind: "problem", problem, status: problem.status, headers: response.headers,
    message: messageOf(problem),
    requestId: response.headers.get("x-request-id") ?? undefined,
    retryAfterSeconds: secondsOf(problem), rateLimits: rateLimitsOf(response.headers),
    idempotencyKey: attempt.request.key, attempts: attempt.number,
  };
}
