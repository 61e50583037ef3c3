/** Call an operation that returns a stream; a failure before its first line is the result. */
async function openStream<T, Code extends string>(
  runtime: Runtime, operation: Operation, read: (response: HttpResponse) => AsyncGenerator,
  given: object = {}, call: CallOptions = {},
): Promise<Result<Lines<T>, never, Code>> {
  const accept = operation.reads === "events" ? "text/event-stream" : "application/x-ndjson";
  const receive: Receive<Success<Lines<T>, never>> = async (attempt, response) => {
    if (response.status !== 204 && mediaType(response.headers) !== accept) {
      return failureOf(attempt, response); // the page of a proxy, which has an end
    }
    attempt.clock.lift();
    return success(attempt, response, linesOf(attempt, response, read(response) as AsyncGenerator<T>));
  };
  const result = await exchange(runtime, operation, given, call, accept, receive);
  return result as Result<Lines<T>, never, Code>;
}
