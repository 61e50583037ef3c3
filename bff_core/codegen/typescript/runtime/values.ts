async function* valuesOf(response: HttpResponse): AsyncGenerator<unknown> {
  const atRest = (): never => {
    throw new Error("the response ends within a line");
  };
  for await (const line of textLines(textChunks(response), atRest)) {
    if (line.trim() !== "") yield JSON.parse(line) as unknown;
  }
}
