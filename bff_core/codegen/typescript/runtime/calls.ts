/** Call an operation that returns one document. */
async function callOperation<T, Name extends string, Code extends string>(
  runtime: Runtime, operation: Operation, given: object = {}, call: WriteOptions = {},
): Promise<Result<T, Name, Code>> {
  const accept = operation.reads === "json" ? "application/json, application/problem+json" : "*/*";
  const receive: Receive<Success<T, Name>> = async (attempt, response) => {
    const { stored } = attempt;
    if (response.status === 304 && stored !== undefined) {
      return success(attempt, response, JSON.parse(stored.text) as T, stored);
    }
    if (operation.reads === "binary") return success(attempt, response, (await response.blob()) as T);
    const text = await response.text();
    if (operation.reads === "text") return success(attempt, response, text as T);
    const hasNone = response.status === 204 || response.status === 205;
    const isEmpty = operation.reads === "nothing" || (hasNone && operation.mayBeEmpty === true);
    if (isEmpty) return success(attempt, response, undefined as T);
    const value = isJson(response.headers) ? parsed(text) : undefined;
    if (value === undefined) return failureOf(attempt, response, text);
    if (usesEtags(runtime, operation, call)) await storeAnswer(runtime, attempt, response, text);
    return success(attempt, response, value as T);
  };
  const result = await exchange(runtime, operation, given, call, accept, receive);
  return result as Result<T, Name, Code>;
}

function success<T, Name extends string>(
  attempt: Attempt, response: HttpResponse, data: T, stored?: EtagEntry,
): Success<T, Name> {
  const { headers, status } = response;
  const parts = partsOf<Name>(headers.get("part-status") ?? stored?.parts ?? null);
  return {
    ok: true,
    status: stored === undefined ? status : 200,
    data,
    parts,
    isPartial: isDegraded(parts),
    isNotModified: stored !== undefined,
    isReplayed: headers.get("idempotency-replayed") === "true",
    idempotencyKey: attempt.request.key,
    etag: headers.get("etag") ?? stored?.etag,
    requestId: headers.get("x-request-id") ?? undefined,
    rateLimits: rateLimitsOf(headers),
    headers,
    attempts: attempt.number,
  };
}
