async function* valuesOf(response: HttpResponse): AsyncGenerator<unknown> {
  for await (const line of textLines(response, "\n")) {
    if (line.trim() !== "") yield JSON.parse(line) as unknown;
  }
}
