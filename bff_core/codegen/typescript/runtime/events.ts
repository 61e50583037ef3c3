/** An event of a stream of server-sent events. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

/** Read server-sent events: the lines of an event end with an empty one. */
async function* eventsOf(response: HttpResponse): AsyncGenerator<ServerEvent> {
  let event = "";
  let id = "";
  let data: string[] = [];
  for await (const line of textLines(lineFeeds(textChunks(response)))) {
    if (line === "") {
      if (data.length > 0) yield { event: event || "message", id, data: data.join("\n") };
      event = "";
      data = [];
      continue;
    }
    const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === "data") data.push(value);
    else if (name === "event") event = value;
    else if (name === "id" && !value.includes("\0")) id = value;
  }
}

/** Yield a text with one line feed for each end of a line: CR, LF or both. */
async function* lineFeeds(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let isAfterReturn = false;
  for await (const chunk of chunks) {
    const text = isAfterReturn && chunk.startsWith("\n") ? chunk.slice(1) : chunk;
    if (chunk !== "") isAfterReturn = chunk.endsWith("\r");
    yield text.replace(/\r\n?/g, "\n");
  }
}
