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

function linesOf<T>(attempt: Attempt, read: AsyncGenerator<T>): Lines<T> {
  return {
    [Symbol.asyncIterator]: () => guarded(attempt, read),
    close: () => attempt.clock.stop(),
  };
}

/** Throw what goes wrong as an `ApiError`, and close the connection at the end. */
async function* guarded<T>(attempt: Attempt, read: AsyncGenerator<T>): AsyncGenerator<T> {
  const { clock, number, request } = attempt;
  try {
    for (;;) {
      const next = await clock.within(read.next());
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(withoutResponse(clock, number, request, error));
  } finally {
    clock.stop();
    read.return(undefined).catch(() => undefined);
  }
}

/** Yield the lines of a text, at any of the given ends; characters may come in several chunks. */
async function* textLines(response: HttpResponse, end: RegExp | string): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of textChunks(response)) {
    const lines = (rest + chunk).split(end);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "" && end === "\n") throw new Error("the response ends within a line");
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
