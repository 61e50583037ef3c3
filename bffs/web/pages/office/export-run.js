// An export: reads all orders as a stream, may be cancelled, and goes on after a break.
//
// The gateway sends an export from its start. Going on means to read it again and to leave out
// the rows that are there already, by their order number.

import { readLines } from "./ndjson.js";

export class ExportRun {
  // `open(signal)` returns a Response-like {ok, status, body}; `now` returns milliseconds.
  constructor(open, now = () => performance.now()) {
    this.open = open;
    this.now = now;
    this.reset();
  }

  reset() {
    this.state = "ready"; // ready, running, complete, broken, cancelled
    this.rows = new Map();
    this.skipped = 0;
    this.bytes = 0;
    this.seconds = 0;
    this.problem = null;
    this.status = 0;
    this.headers = null;
  }

  get count() {
    return this.rows.size;
  }

  // `total` is what the service counts, null where that is not known.
  share(total) {
    if (this.state === "complete") return 1;
    return total ? Math.min(this.count / total, 1) : null;
  }

  // Reads until the end, a break, or cancel(); `onRow` is called after each row.
  async start(onRow = () => {}) {
    this.state = "running";
    this.problem = null;
    this.skipped = 0;
    this.controller = new AbortController();
    const begun = this.now();
    const before = { bytes: this.bytes, seconds: this.seconds };
    try {
      const response = await this.open(this.controller.signal);
      this.status = response.status;
      this.headers = response.headers;
      if (!response.ok) throw new Refused(response);
      for await (const { text, value, bytes } of readLines(response.body)) {
        if (this.controller.signal.aborted) break;
        this.bytes = before.bytes + bytes;
        this.seconds = before.seconds + (this.now() - begun) / 1000;
        if (this.rows.has(value.number)) this.skipped += 1;
        else this.rows.set(value.number, { text, value });
        onRow(this);
      }
      this.state = this.controller.signal.aborted ? "cancelled" : "complete";
    } catch (error) {
      this.state = this.controller.signal.aborted ? "cancelled" : "broken";
      this.problem = this.state === "broken" ? reason(error) : null;
    }
    this.seconds = before.seconds + (this.now() - begun) / 1000;
    return this.state;
  }

  cancel() {
    this.controller?.abort();
  }

  lastRows(most) {
    return [...this.rows.values()].slice(-most).map(({ value }) => value);
  }

  values() {
    return [...this.rows.values()].map(({ value }) => value);
  }

  ndjson() {
    return [...this.rows.values()].map(({ text }) => `${text}\n`).join("");
  }
}

class Refused extends Error {
  constructor(response) {
    super(`the gateway answered ${response.status}`);
    this.name = "Refused";
  }
}

function reason(error) {
  if (["Refused", "BrokenStream"].includes(error.name)) return error.message;
  return "the connection was cut";
}
