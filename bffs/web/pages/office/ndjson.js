// Reads NDJSON: one JSON value per line, as the bytes come.

export class BrokenStream extends Error {
  constructor(message, line) {
    super(message);
    this.name = "BrokenStream";
    this.line = line;
  }
}

// Yields {text, value, bytes} for each line of a ReadableStream of bytes. `bytes` counts from the
// start of the stream. A stream that ends within a line is broken: the line may lack its end.
export async function* readLines(stream) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let bytes = 0;
  let number = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      rest += decoder.decode(value, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop();
      for (const text of lines) {
        number += 1;
        if (text.trim()) yield { text, value: parse(text, number), bytes };
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // what was not read is not wanted
  }
  rest += decoder.decode();
  if (rest.trim()) throw new BrokenStream("the stream ended within a row", number + 1);
}

function parse(text, line) {
  try {
    return JSON.parse(text);
  } catch {
    throw new BrokenStream(`row ${line} is not JSON`, line);
  }
}
