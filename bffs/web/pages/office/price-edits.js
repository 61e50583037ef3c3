// Prices that were typed and not saved yet, by SKU. They survive a refresh of the screen and of
// the page; a row that was refused stays as it was typed.

import { fieldText, parsePrice } from "./price-text.js";

const MOST_IN_A_BATCH = 200;

export class PriceEdits {
  // `storage` has getItem, setItem and removeItem, like localStorage; `name` is the entry's.
  constructor(storage, name, makeKey = () => crypto.randomUUID()) {
    this.storage = storage;
    this.name = name;
    this.makeKey = makeKey;
    this.edits = new Map();
    this.saved = new Map(); // sku → {amount}: said beside the row until it changes again
    this.open = null; // the request whose outcome is not known
    this.listeners = new Set();
    this.restore();
  }

  get size() {
    return this.edits.size;
  }

  get(sku) {
    return this.edits.get(sku) ?? null;
  }

  // `row` is {sku, title, currency, was}: `was` is what it costs now, null where that is not known.
  type(row, text) {
    this.saved.delete(row.sku);
    const isSame = row.was === null ? !text.trim() : parsePrice(text, row.currency).amount === row.was;
    if (isSame) this.edits.delete(row.sku);
    else this.edits.set(row.sku, { ...row, text, state: "edited", reason: null });
    this.changed();
  }

  undo(sku) {
    if (this.edits.delete(sku)) this.changed();
  }

  undoAll() {
    this.edits.clear();
    this.open = null;
    this.changed();
  }

  problemOf(edit) {
    return parsePrice(edit.text, edit.currency).problem ?? null;
  }

  // Edits that may be sent, and those that are not prices.
  valid() {
    return [...this.edits.values()].filter((edit) => !this.problemOf(edit));
  }

  invalid() {
    return [...this.edits.values()].filter((edit) => this.problemOf(edit));
  }

  // Those of `invalid` that are amounts, but none that is allowed.
  outOfRange() {
    return this.invalid().filter(({ text, currency }) => parsePrice(text, currency).isOutOfRange);
  }

  // The request that saves them. It has the key of the last one if that one's outcome is open and
  // both say the same: then the gateway knows it again, and does nothing twice.
  request() {
    const items = this.valid().slice(0, MOST_IN_A_BATCH).map(({ sku, text, currency }) => {
      return { sku, amount: parsePrice(text, currency).amount, currency };
    });
    const isRepeat = this.open !== null && JSON.stringify(this.open.items) === JSON.stringify(items);
    const request = { key: isRepeat ? this.open.key : this.makeKey(), items };
    this.open = request; // from here on it may have reached the gateway
    this.store();
    return request;
  }

  // Applies what became of a request. An edit that was typed on meanwhile stays.
  settle(request, outcomes) {
    const sent = new Map(request.items.map((item) => [item.sku, item]));
    for (const { sku, state, reason } of outcomes.rows) {
      const edit = this.edits.get(sku);
      const wanted = sent.get(sku).amount;
      const isAsSent = edit && parsePrice(edit.text, edit.currency).amount === wanted;
      if (state === "saved") {
        if (isAsSent) this.edits.delete(sku);
        this.saved.set(sku, { amount: wanted });
      } else if (isAsSent) {
        this.edits.set(sku, { ...edit, state, reason });
      }
    }
    this.open = outcomes.isOpen ? request : null;
    this.changed();
  }

  get isRetry() {
    const states = this.valid().map(({ state }) => state);
    return states.length > 0 && states.every((state) => state !== "edited");
  }

  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed() {
    this.store();
    for (const listener of this.listeners) listener();
  }

  store() {
    try {
      if (!this.edits.size && !this.open) this.storage.removeItem(this.name);
      else this.storage.setItem(this.name, JSON.stringify({ edits: [...this.edits.values()], open: this.open }));
    } catch {
      // Private windows may refuse to store: the edits then last as long as the page.
    }
  }

  restore() {
    try {
      const { edits, open } = JSON.parse(this.storage.getItem(this.name) ?? "null") ?? {};
      for (const edit of (edits ?? []).filter(isEdit)) this.edits.set(edit.sku, edit);
      this.open = typeof open?.key === "string" && Array.isArray(open.items) ? open : null;
    } catch {
      this.storage.removeItem(this.name);
    }
  }
}

// Whether an entry of the storage is one of ours.
function isEdit(edit) {
  return [edit?.sku, edit?.text, edit?.currency].every((one) => typeof one === "string");
}

// What stands in the field of a row: the edit, else what was saved, else what it costs.
export function textOf(edits, row) {
  const edit = edits.get(row.sku);
  if (edit) return edit.text;
  return row.was === null ? "" : fieldText(row.was, row.currency);
}
