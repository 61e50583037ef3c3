/**
 * The values of a response as they arrive: iterate over them once, with `for await`. Leaving the
 * loop closes the connection, and so does `close()`. A failure after the first value is thrown as
 * an `ApiError`.
 */
export interface Lines<T> extends AsyncIterable<T> {
  close(): void;
}

interface StreamReader {
  read(): Promise<{ done: boolean; value?: unknown }>;
  cancel(reason?: unknown): Promise<unknown>;
}

function linesOf<T>(attempt: Attempt, response: HttpResponse, read: AsyncGenerator<T>): Lines<T> {
  return {
    [Symbol.asyncIterator]: () => guarded(attempt, response, read),
    close: () => attempt.clock.stop(),
  };
}

/** Throw what goes wrong as an `ApiError`, and close the connection at the end. */
async function* guarded<T>(
  attempt: Attempt, response: HttpResponse, read: AsyncGenerator<T>,
): AsyncGenerator<T> {
  const { clock, number, request } = attempt;
  try {
    for (;;) {
      const next = await clock.within(read.next());
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (error instanceof SyntaxError) {
      const failure = await failureOf(attempt, response, error.message);
      throw new ApiError({ ...failure, message: `unexpected line: ${error.message}` });
    }
    throw new ApiError(withoutResponse(clock, number, request, error, response));
  } finally {
    clock.stop();
    read.return(undefined).catch(() => undefined);
  }
}

/** Yield the lines of a text that have an end; `atRest` gets what follows the last one. */
async function* textLines(
  chunks: AsyncIterable<string>, atRest?: (rest: string) => void,
): AsyncGenerator<string> {
  let held: string[] = []; // put together once: a line may come in thousands of chunks
  for await (const chunk of chunks) {
    const lines = chunk.split("\n");
    const rest = lines.pop() ?? "";
    for (const line of lines) {
      yield held.join("") + line;
      held = [];
    }
    if (rest !== "") held.push(rest);
  }
  if (held.length > 0) atRest?.(held.join(""));
}

async function* textChunks(response: HttpResponse): AsyncGenerator<string> {
  const body = response.body as { getReader?(): StreamReader } | null | undefined;
  if (typeof body?.getReader !== "function" || platform.TextDecoder === undefined) {
    yield await response.text(); // React Native has no streams of bytes
    return;
  }
  const reader = body.getReader();
  const decoder = new platform.TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield decoder.decode(value, { stream: true });
    }
    yield decoder.decode();
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
