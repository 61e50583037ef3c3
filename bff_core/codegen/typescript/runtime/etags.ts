function usesEtags(runtime: Runtime, operation: Operation, call: CallOptions): boolean {
  const isRead = operation.method === "GET" && operation.reads === "json";
  return runtime.etags !== undefined && isRead && call.etag !== false;
}

function storeKey(request: OutgoingRequest): string {
  return `${request.headers.get("accept") ?? ""} ${request.url}`;
}

/** Whether a stored answer is for these request headers. */
function fits(entry: EtagEntry, headers: ReadonlyMap<string, string>): boolean {
  return Object.entries(entry.vary).every(([name, value]) => (headers.get(name) ?? "") === value);
}

/** Return the stored answer to a request; a store that fails has none. */
async function storedAnswer(
  runtime: Runtime, request: OutgoingRequest, headers: ReadonlyMap<string, string>,
): Promise<EtagEntry | undefined> {
  try {
    const found = await runtime.etags?.get(storeKey(request));
    return found !== undefined && fits(found, headers) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Store an answer if the store can: without it, the next request is not conditional. */
async function storeAnswer(
  runtime: Runtime, attempt: Attempt, response: HttpResponse, text: string,
): Promise<void> {
  await updateStore(runtime, attempt, response, text).catch(() => undefined);
}

/** Store an answer that may be stored; forget one that may not. */
async function updateStore(
  runtime: Runtime, attempt: Attempt, response: HttpResponse, text: string,
): Promise<void> {
  const { headers } = response;
  const etag = headers.get("etag");
  const names = (headers.get("vary") ?? "").split(",").map((one) => one.trim().toLowerCase());
  const isForbidden = /(^|[\s,])no-store\b/i.test(headers.get("cache-control") ?? "");
  if (attempt.generation !== runtime.generation) return; // another viewer has signed in
  if (etag === null || isForbidden || names.includes("*")) {
    await runtime.etags?.delete(storeKey(attempt.request));
    return;
  }
  const vary = Object.fromEntries(
    names.filter((one) => one !== "").map((name) => [name, attempt.headers.get(name) ?? ""]),
  );
  const parts = headers.get("part-status") ?? "";
  await runtime.etags?.set(storeKey(attempt.request), { etag, text, parts, vary });
}
