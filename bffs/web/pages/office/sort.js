// Sorts rows of a table by one column; rows without a value come last in both directions.

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

// `value` returns a number, a text, or null for a row.
export function sortRows(rows, value, direction = "ascending") {
  const sign = direction === "descending" ? -1 : 1;
  const keyed = rows.map((row, index) => ({ row, index, key: value(row) ?? null }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.index - b.index;
    return sign * compare(a.key, b.key) || a.index - b.index;
  });
  return keyed.map(({ row }) => row);
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return collator.compare(String(a), String(b));
}

// What a click on a column's head leads to: up, down, then the order of the reply.
export function nextSort(sort, key) {
  if (sort?.key !== key) return { key, direction: "ascending" };
  return sort.direction === "ascending" ? { key, direction: "descending" } : null;
}
