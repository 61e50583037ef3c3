/** An event of a stream of server-sent events. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

/** Read server-sent events: the lines of an event end with an empty one. */
async function* eventsOf(response: HttpResponse): AsyncGenerator<ServerEvent> {
  let event = "message";
  let id = "";
  let data: string[] = [];
  for await (const line of textLines(response, /\r\n|\n|\r(?!\n|$)/)) {
    if (line === "") {
      if (data.length > 0) yield { event, id, data: data.join("\n") };
      event = "message";
      data = [];
      continue;
    }
    const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === "data") data.push(value);
    else if (name === "event") event = value;
    else if (name === "id") id = value;
  }
}
