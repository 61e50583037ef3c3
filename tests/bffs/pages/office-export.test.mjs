import assert from "node:assert/strict";
import { test } from "node:test";

import { toCsv } from "../../../bffs/web/pages/office/csv.js";
import { ExportRun } from "../../../bffs/web/pages/office/export-run.js";
import { readLines } from "../../../bffs/web/pages/office/ndjson.js";
import { nextSort, sortRows } from "../../../bffs/web/pages/office/sort.js";
import { rowsText } from "../../../bffs/web/pages/office/words.js";

const bytes = (text) => new TextEncoder().encode(text);
const order = (number) => ({ number, placed_at: "2026-10-25T09:12:00Z", status: "paid", total: 1, currency: "EUR", lines: 2 });
const row = (number) => `${JSON.stringify(order(number))}\n`;

function streamOf(chunks, { breaks = false } = {}) {
  const rest = [...chunks];
  return new ReadableStream({
    pull(controller) {
      if (rest.length) controller.enqueue(rest.shift());
      else if (breaks) controller.error(new TypeError("network error"));
      else controller.close();
    },
  });
}

async function valuesOf(stream) {
  const values = [];
  for await (const { value } of readLines(stream)) values.push(value);
  return values;
}

test("rows are read however the bytes are cut, also within a character", async () => {
  const all = bytes('{"a":"é€"}\n{"a":2}\n\n{"a":3}\n');
  for (let size = 1; size <= all.length; size += 1) {
    const chunks = [];
    for (let at = 0; at < all.length; at += size) chunks.push(all.slice(at, at + size));
    assert.deepEqual(await valuesOf(streamOf(chunks)), [{ a: "é€" }, { a: 2 }, { a: 3 }], `chunks of ${size}`);
  }
});

test("a row without its end breaks the stream, and so does one that is not JSON", async () => {
  await assert.rejects(valuesOf(streamOf([bytes('{"a":1}\n{"a":')])), /ended within a row/);
  await assert.rejects(valuesOf(streamOf([bytes('{"a":1}\nnonsense\n{"a":2}\n')])), /row 2 is not JSON/);
});

test("an export counts rows and bytes, and is complete at its end", async () => {
  const counts = [];
  const run = new ExportRun(async () => ({ ok: true, status: 200, body: streamOf([bytes(row("1") + row("2")), bytes(row("3"))]) }));

  await run.start(() => counts.push(run.count));

  assert.equal(run.state, "complete");
  assert.deepEqual(counts, [1, 2, 3]);
  assert.equal(run.bytes, bytes(row("1")).length * 3);
  assert.equal(run.share(10), 1);
});

test("after a break it goes on where it was, without the same rows twice", async () => {
  const streams = [streamOf([bytes(row("1") + row("2"))], { breaks: true }), streamOf([bytes(row("1") + row("2") + row("3"))])];
  const run = new ExportRun(async () => ({ ok: true, status: 200, body: streams.shift() }));

  await run.start();
  assert.equal(run.state, "broken");
  assert.equal(run.problem, "the connection was cut");
  assert.equal(run.share(4), 0.5);
  await run.start();

  assert.equal(run.state, "complete");
  assert.equal(run.skipped, 2);
  assert.deepEqual(run.values().map(({ number }) => number), ["1", "2", "3"]);
  assert.equal(run.ndjson(), row("1") + row("2") + row("3"));
});

test("rows are counted of all, if it is known how many there are", () => {
  const said = [rowsText(1, 48), rowsText(0, 1), rowsText(1200, 3400), rowsText(1, null), rowsText(2, 0)];
  assert.deepEqual(said, ["1 of 48 rows", "0 of 1 row", "1,200 of 3,400 rows", "1 row", "2 rows"]);
});

test("a refusal is a break without rows", async () => {
  const run = new ExportRun(async () => ({ ok: false, status: 503, body: null }));
  assert.equal(await run.start(), "broken");
  assert.equal(run.problem, "the gateway answered 503");
});

/** Runs an export of these lines. */
async function runOf(text, headers = { "content-type": "application/x-ndjson" }) {
  const run = new ExportRun(async () => ({ ok: true, status: 200, headers: new Headers(headers), body: streamOf([bytes(text)]) }));
  await run.start();
  return run;
}

test("only orders count, and an export with other lines is not complete", async () => {
  const odd = [null, 5, [], {}, { ...order("2"), total: null }, { ...order("3"), number: 3 }, { ...order("4"), currency: undefined }];
  const run = await runOf(row("1") + odd.map((one) => `${JSON.stringify(one)}\n`).join("") + row("9"));

  assert.deepEqual(run.values().map(({ number }) => number), ["1", "9"]);
  assert.deepEqual([run.state, run.problem], ["broken", "7 rows could not be read"]);
});

test("a line that is a problem ends the export with its reason", async () => {
  for (const problem of [{ title: "Upstream failed", status: 502, detail: "orders did not answer." }, { problem: { detail: "orders did not answer." } }]) {
    const run = await runOf(`${row("1")}${JSON.stringify(problem)}\n${row("2")}`);
    assert.deepEqual([run.state, run.count, run.problem], ["broken", 1, "orders did not answer"]);
  }
});

test("a page of a proxy is no export", async () => {
  for (const text of ["", "<p>\n"]) {
    const run = await runOf(text, { "content-type": "text/html" });
    assert.deepEqual([run.state, run.problem], ["broken", "the answer could not be read"]);
  }
});

test("a refusal says when to try again", async () => {
  const run = new ExportRun(async () => new Response("", { status: 429, headers: { "retry-after": "60" } }));
  await run.start();
  assert.equal(run.problem, "the gateway answered 429, try again in 60 s");
});

test("cancelling leaves the rows that came", async () => {
  const run = new ExportRun(async () => ({ ok: true, status: 200, body: streamOf([bytes(row("1")), bytes(row("2")), bytes(row("3"))]) }));

  await run.start(() => run.count === 2 && run.cancel());

  assert.equal(run.state, "cancelled");
  assert.equal(run.count, 2);
});

test("cells of a CSV are quoted where they have to be, and are no formulas", () => {
  const rows = [{ a: 'say "x", y', b: 1 }, { a: "=1+1", b: null }, { a: "two\nlines", b: -2 }];
  const columns = [{ head: "a", value: ({ a }) => a }, { head: "b", value: ({ b }) => b }];
  assert.equal(toCsv(rows, columns), 'a,b\r\n"say ""x"", y",1\r\n\'=1+1,\r\n"two\nlines",-2\r\n');
});

test("rows are sorted by number or by text, stable, those without a value last", () => {
  const rows = [{ n: 2, t: "10-b" }, { n: null, t: "9-a" }, { n: 1, t: "2-c" }, { n: 2, t: "b" }];
  const texts = (sorted) => sorted.map(({ t }) => t);
  assert.deepEqual(texts(sortRows(rows, ({ n }) => n)), ["2-c", "10-b", "b", "9-a"]);
  assert.deepEqual(texts(sortRows(rows, ({ n }) => n, "descending")), ["10-b", "b", "2-c", "9-a"]);
  assert.deepEqual(texts(sortRows(rows, ({ t }) => t)), ["2-c", "9-a", "10-b", "b"]);
  assert.equal(rows[0].t, "10-b");
});

test("a column's head sorts up, down, and then not at all", () => {
  const up = nextSort(null, "n");
  const down = nextSort(up, "n");
  assert.deepEqual([up.direction, down.direction, nextSort(down, "n")], ["ascending", "descending", null]);
  assert.deepEqual(nextSort(down, "t"), { key: "t", direction: "ascending" });
});
