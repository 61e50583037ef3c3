// An export: reads all orders as a stream, may be cancelled, and goes on after a break.
//
// The gateway sends an export from its start. Going on means to read it again and to leave out
// the rows that are there already, by their order number.

import { isObject, problemOf, sayWhen } from "../shared/answer.js";
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
    this.unread = 0; // lines that are no orders
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
    this.unread = 0;
    this.controller = new AbortController();
    const begun = this.now();
    const before = { bytes: this.bytes, seconds: this.seconds };
    try {
      const response = await this.open(this.controller.signal);
      this.status = response.status;
      this.headers = response.headers;
      if (!response.ok) throw new Refused(response);
      const type = response.headers?.get("content-type") ?? null;
      if (type !== null && !/ndjson/i.test(type)) throw new Ended("the answer could not be read");
      for await (const { text, value, bytes } of readLines(response.body)) {
        if (this.controller.signal.aborted) break;
        this.bytes = before.bytes + bytes;
        this.seconds = before.seconds + (this.now() - begun) / 1000;
        if (isProblem(value)) throw new Ended(said(value.problem ?? value));
        if (!isOrder(value)) this.unread += 1;
        else if (this.rows.has(value.number)) this.skipped += 1;
        else this.rows.set(value.number, { text, value });
        onRow(this);
      }
      if (this.unread && !this.controller.signal.aborted) throw new Ended(this.unread === 1 ? "1 row could not be read" : `${this.unread} rows could not be read`);
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
    const when = sayWhen(problemOf(null, response.status, response.headers)).toLowerCase().replace(/\.$/, "");
    super([`the gateway answered ${response.status}`, when].filter(Boolean).join(", "));
    this.name = "Refused";
  }
}

class Ended extends Error {
  constructor(message) {
    super(message);
    this.name = "Ended";
  }
}

const TEXTS = ["number", "placed_at", "status", "currency"];
const NUMBERS = ["total", "lines"];

function isOrder(value) {
  return isObject(value) && TEXTS.every((name) => typeof value[name] === "string") && NUMBERS.every((name) => Number.isFinite(value[name]));
}

// The gateway's last line of a stream that failed: problem details, or an object that has them.
function isProblem(value) {
  return isObject(value) && (isObject(value.problem) || (typeof value.title === "string" && Number.isInteger(value.status)));
}

function said(value) {
  const { detail, title } = problemOf(value, 500);
  return (detail || title).replace(/\.$/, "");
}

function reason(error) {
  if (["Refused", "Ended", "BrokenStream"].includes(error.name)) return error.message;
  return "the connection was cut";
}
