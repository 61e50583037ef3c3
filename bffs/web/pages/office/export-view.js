// Export: all orders as a stream, row by row, with a count and a bar; then a file.

import { el, icon, replace } from "../shared/dom.js";
import { bytes } from "../shared/format.js";
import { factsOf } from "../shared/facts.js";
import { orderStatus, symbolOf } from "./cells.js";
import { toCsv } from "./csv.js";
import { ExportRun } from "./export-run.js";
import { columnText, fieldText } from "./price-text.js";
import { table } from "./table.js";
import { count, rowsText, shortDay } from "./words.js";

const SHOWN_ROWS = 14;
const ROUTE = "/v1/orders/export";

const CSV_COLUMNS = [
  { head: "number", value: (row) => row.number },
  { head: "placed_at", value: (row) => row.placed_at },
  { head: "status", value: (row) => row.status },
  { head: "total", value: (row) => fieldText(row.total, row.currency) },
  { head: "currency", value: (row) => row.currency },
  { head: "lines", value: (row) => row.lines },
];

export function exportView(app) {
  const run = new ExportRun((signal) => open(app, signal));
  const sentence = el("p", { class: "export-sentence" });
  const spoken = el("p", { class: "sr", role: "status" });
  const bar = el("div", { class: "bar", role: "progressbar", "aria-label": "Rows received", "aria-valuemin": "0" }, el("span", {}));
  const actions = el("div", { class: "bar-actions" });
  const rows = el("div", {});
  const node = el(
    "div",
    { class: "view" },
    el(
      "section",
      { class: "pane narrow", "aria-labelledby": "export-title" },
      el("header", { class: "pane-head" }, el("h1", { id: "export-title" }, "Export orders"), el("span", { class: "grow" }), actions),
      sentence,
      bar,
      spoken,
      rows,
    ),
  );
  let total = null;
  let frame = null;

  // At most one drawing for each picture of the screen, however fast rows come.
  function later() {
    frame ??= requestAnimationFrame(() => {
      frame = null;
      draw();
    });
  }

  function draw() {
    const share = run.share(total);
    bar.style.setProperty("--share", String(share ?? 0));
    bar.className = `bar is-${run.state}`;
    bar.classList.toggle("is-open", run.state === "running" && share === null);
    bar.setAttribute("aria-valuemax", String(total ?? run.count));
    bar.setAttribute("aria-valuenow", String(run.count));
    replace(sentence, sentenceOf(run, total));
    replace(actions, buttons());
    replace(rows, lastRows(run));
  }

  function buttons() {
    const button = (id, text, onclick, isMain = false) => el("button", { type: "button", class: isMain ? "small primary" : "small", id, onclick }, text);
    if (run.state === "running") return button("cancel", "Cancel", () => run.cancel());
    const files = run.count > 0 && [button("csv", [icon("download", { size: 12 }), "CSV"], () => save("csv")), button("ndjson", [icon("download", { size: 12 }), "NDJSON"], () => save("ndjson"))];
    const isPart = ["broken", "cancelled"].includes(run.state) && run.count > 0;
    const again = run.state === "ready" ? button("start", "Start the export", start, true) : button("again", "Start again", start, !isPart && run.state !== "complete");
    return [files, again, isPart && button("go-on", `Go on from row ${run.count + 1}`, goOn, true)];
  }

  function start() {
    run.reset();
    return goOn();
  }

  async function goOn() {
    const begun = performance.now();
    const running = run.start(later);
    draw();
    await running;
    draw();
    spoken.textContent = sentence.textContent;
    if (run.headers) app.report({ ...factsOf({ client: app.client.name, route: ROUTE, status: run.status, headers: run.headers, bytes: run.bytes, ms: performance.now() - begun }), ...(run.state === "broken" ? { state: "failed" } : {}) });
    if (run.status === 401) app.onSignedOut();
  }

  function save(kind) {
    const isCsv = kind === "csv";
    const content = isCsv ? toCsv(run.values(), CSV_COLUMNS) : run.ndjson();
    const url = URL.createObjectURL(new Blob([content], { type: isCsv ? "text/csv;charset=utf-8" : "application/x-ndjson" }));
    const part = run.state === "complete" ? "" : "-incomplete";
    el("a", { href: url, download: `orders-${app.customer.id}${part}.${kind}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  // The list knows how many orders there are; the export does not say it beforehand.
  async function show({ query }) {
    total = Number(query.get("total")) || null;
    draw();
    if (total !== null) return;
    const { ok, body } = await app.client.get("/v1/orders?limit=1", { screen: "export total" });
    total = ok && Number.isInteger(body.total) ? body.total : null;
    draw();
  }

  return { title: "Export", node, show, refresh: () => {}, leave: () => run.cancel() };
}

async function open(app, signal) {
  const once = async () => {
    const headers = { Accept: "application/x-ndjson", ...(await app.headers()) };
    return fetch(`${app.origin}${ROUTE}`, { headers, signal, credentials: "omit" });
  };
  const response = await once();
  return response.status === 401 && app.headers.renew?.() ? once() : response;
}

function sentenceOf(run, total) {
  const rows = el("b", {}, rowsText(run.count, run.state === "complete" ? null : total));
  const facts = ` · ${bytes(run.bytes)} · ${run.seconds.toFixed(1)} s`;
  const skipped = run.skipped ? `, ${count(run.skipped, "row")} came twice and ${run.skipped === 1 ? "counts" : "count"} once` : "";
  if (run.state === "ready") return `${total === null ? "All orders" : count(total, "order")}, newest first: the gateway sends each row as soon as it has it.`;
  if (run.state === "running") return [rows, facts];
  if (run.state === "complete") return [icon("ok", { size: 12, class: "is-ok mark" }), " Complete: ", rows, facts, skipped];
  if (run.state === "cancelled" && !run.count) return "Cancelled before the first row came.";
  if (run.state === "cancelled") return ["Cancelled after ", rows, facts, ". What came can be saved."];
  if (!run.count) return [icon("failed", { size: 12, class: "is-failed mark" }), ` No row came: ${run.problem}.`];
  return [icon("failed", { size: 12, class: "is-failed mark" }), " The stream broke after ", rows, `: ${run.problem}.`, facts];
}

function lastRows(run) {
  const last = run.lastRows(SHOWN_ROWS).reverse();
  const currency = last[0]?.currency ?? "EUR";
  const columns = [
    { key: "number", head: "Number", class: "code", cell: (row) => row.number },
    { key: "placed", head: "Placed", cell: (row) => shortDay(row.placed_at) },
    { key: "status", head: "Status", class: "fill", cell: (row) => orderStatus(row.status) },
    { key: "lines", head: "Lines", isNumber: true, cell: (row) => row.lines },
    { key: "total", head: `Total ${symbolOf(currency)}`, isNumber: true, cell: (row) => columnText(row.total, row.currency) },
  ];
  const waiting = el("span", { class: "muted" }, run.state === "running" ? "Waiting for the first row." : "Rows appear here as they come, the latest on top.");
  return [
    table({ label: "Latest rows", columns, rows: last.map((row) => ({ row })), message: last.length ? null : waiting, height: SHOWN_ROWS }),
    run.count > SHOWN_ROWS && el("p", { class: "pane-note" }, `The latest ${SHOWN_ROWS} rows; the files have all of them.`),
  ];
}
