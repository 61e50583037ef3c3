// Operations that were sent before, in this browser: the newest first, without tokens.

const NAME = "bff-console-graphql";
const MOST = 20;

function all() {
  try {
    return JSON.parse(localStorage.getItem(NAME)) ?? {};
  } catch {
    return {};
  }
}

/** The operations of a gateway: {query, variables, time}. */
export function savedOf(gateway) {
  const rows = all()[gateway];
  return Array.isArray(rows) ? rows : [];
}

/** Puts an operation first; one of the same text moves. */
export function save(gateway, row) {
  const others = savedOf(gateway).filter((one) => one.query !== row.query || one.variables !== row.variables);
  return store(gateway, [row, ...others].slice(0, MOST));
}

export function forget(gateway) {
  return store(gateway, []);
}

function store(gateway, rows) {
  try {
    localStorage.setItem(NAME, JSON.stringify({ ...all(), [gateway]: rows }));
  } catch {
    // storage is off: the list lasts as long as the page
  }
  return rows;
}

/** A name for the list: the operation's own, else its first fields. */
export function titleOf(query) {
  const name = /\b(?:query|mutation|subscription)\s+(\w+)/.exec(query)?.[1];
  return name ?? query.replace(/#.*$/gm, "").replace(/\s+/g, " ").trim().slice(0, 48);
}
