// CSV as RFC 4180 describes it. A cell that a spreadsheet would run as a formula gets a quote.

export function toCsv(rows, columns) {
  const lines = [columns.map(({ head }) => cell(head))];
  for (const row of rows) lines.push(columns.map(({ value }) => cell(value(row))));
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}

function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
