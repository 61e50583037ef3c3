// The column of prices that can be changed: fields, what became of each, and the bar that saves.

import { el, icon, replace } from "../shared/dom.js";
import { money } from "../shared/money.js";
import { outcomesOf } from "./outcomes.js";
import { textOf } from "./price-edits.js";
import { columnText, fieldText, rangeText } from "./price-text.js";
import { count } from "./words.js";

const NARROW = 4;

export class PriceColumn {
  // `app` has client, edits and mayChangePrices. `name` makes the ids of fields unique on the page.
  constructor(app, name) {
    this.app = app;
    this.name = name;
    this.cells = new Map();
    this.stop = app.edits.onChange(() => this.update());
  }

  // Forgets the cells of the last drawing.
  begin() {
    this.cells.clear();
  }

  hasEdit(sku) {
    return this.app.mayChangePrices && this.app.edits.get(sku) !== null;
  }

  // `row` is {sku, title, currency, was}. Returns {cell, note}: the field, and the line below the row.
  draw(row) {
    if (!this.app.mayChangePrices) {
      const shown = row.was === null ? el("span", { class: "muted" }, "–") : columnText(row.was, row.currency);
      return { cell: shown, note: null };
    }
    const id = `${this.name}-${row.sku}`;
    const note = el("span", { id: `${id}-note` });
    const field = el("input", {
      id,
      class: "price-field",
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      spellcheck: "false",
      "data-column": this.name,
      "aria-label": `Price of ${row.title}, ${row.sku}, in ${row.currency}`,
      placeholder: row.was === null ? "new" : null,
      size: Math.max(NARROW, textOf(this.app.edits, row).length),
      oninput: ({ target }) => this.app.edits.type(row, target.value),
      onkeydown: (event) => this.undoOnEscape(event, row),
    });
    const cell = { row, field, note };
    this.cells.set(row.sku, cell);
    this.updateCell(cell, { isFirst: true });
    return { cell: field, note };
  }

  undoOnEscape(event, row) {
    if (event.key !== "Escape" || !this.app.edits.get(row.sku)) return;
    event.preventDefault();
    this.app.edits.undo(row.sku);
    event.target.select();
  }

  update() {
    for (const cell of this.cells.values()) this.updateCell(cell, { isFirst: false });
  }

  updateCell({ row, field, note }) {
    const { edits } = this.app;
    const saved = edits.saved.get(row.sku);
    if (saved && !edits.get(row.sku)) row.was = saved.amount;
    const text = textOf(edits, row);
    if (field.value !== text) field.value = text;
    const { state, sentence } = this.stateOf(row, saved);
    field.className = `price-field is-${state}`;
    field.setAttribute("aria-invalid", String(["invalid", "refused"].includes(state)));
    if (sentence) field.setAttribute("aria-describedby", note.id);
    else field.removeAttribute("aria-describedby");
    replace(note, sentence && [icon(SHAPES[state], { size: 11 }), " ", sentence]);
    note.className = `price-note is-${state}`;
    const line = note.closest("tr");
    if (line) line.hidden = !sentence;
  }

  stateOf(row, saved) {
    const { edits } = this.app;
    const edit = edits.get(row.sku);
    if (!edit) return saved ? { state: "saved", sentence: `Saved: ${money(saved.amount, row.currency)}.` } : { state: "same", sentence: "" };
    const problem = edits.problemOf(edit);
    if (problem) return { state: "invalid", sentence: problem };
    const changed = edit.was !== null && row.was !== null && edit.was !== row.was;
    if (edit.state === "refused") return { state: "refused", sentence: `Refused: ${edit.reason}. Change it, or undo with Esc.` };
    if (edit.state === "failed") return { state: "failed", sentence: `Not saved: ${edit.reason}.` };
    const news = changed ? `It costs ${columnText(row.was, row.currency)} by now; it was ${columnText(edit.was, row.currency)} when you typed.` : "";
    return { state: "edited", sentence: news };
  }

  leave() {
    this.stop();
  }
}

const SHAPES = { saved: "ok", invalid: "failed", refused: "failed", failed: "fallback", edited: "stale", same: "ok" };

// The bar: how many changes there are, save, undo, and what became of the last save.
export class SaveBar {
  constructor(app) {
    this.app = app;
    this.isSaving = false;
    this.sentence = "";
    this.actions = el("span", { class: "bar-actions" });
    this.report = el("p", { class: "bar-report", role: "status" });
    this.stop = app.edits.onChange(() => this.update());
    this.update();
  }

  update() {
    const { edits, mayChangePrices } = this.app;
    if (!mayChangePrices) {
      replace(this.actions);
      replace(this.report, reasonNotToChange(this.app));
      return;
    }
    const valid = edits.valid().length;
    replace(
      this.actions,
      edits.size > 0 && !this.isSaving && el("button", { type: "button", class: "small", id: "undo-all", onclick: () => this.undoAll() }, "Undo all"),
      el(
        "button",
        { type: "button", class: "small primary", id: "save-prices", disabled: !valid || this.isSaving, onclick: () => this.save() },
        this.label(valid),
      ),
    );
    const said = [this.sentence, hintOf(edits)].filter(Boolean).join(" ");
    replace(this.report, said || el("span", { class: "muted" }, edits.size ? "Not saved yet. Esc undoes a change." : "Type a price to change it. Enter goes to the next one."));
  }

  label(valid) {
    if (this.isSaving) return `Saving ${count(valid, "price")} …`;
    if (!valid) return "Save prices";
    return `${this.app.edits.isRetry ? "Retry" : "Save"} ${count(valid, "price")}`;
  }

  undoAll() {
    this.sentence = "";
    this.app.edits.undoAll();
  }

  async save() {
    if (this.isSaving) return;
    const { client, edits } = this.app;
    const request = edits.request();
    this.isSaving = true;
    this.sentence = "";
    this.update();
    const items = request.items.map(({ sku, amount, currency }) => ({ sku, price: { amount, currency } }));
    const reply = await this.app.send("POST", "/v1/prices/bulk", { items }, { key: request.key });
    const outcomes = outcomesOf(request, reply);
    this.isSaving = false;
    this.sentence = outcomes.sentence;
    if (outcomes.isForbidden) this.app.mayChangePrices = false;
    edits.settle(request, outcomes);
    if (outcomes.isForbidden) this.app.onForbidden();
    if (outcomes.isSignedOut) this.app.onSignedOut();
  }

  leave() {
    this.stop();
  }
}

// Why some of what was typed is not sent: it is no price, or none that is allowed.
export function hintOf(edits) {
  const refused = edits.outOfRange();
  const unread = edits.invalid().length - refused.length;
  const verb = (number) => (number === 1 ? "is" : "are");
  const currencies = [...new Set(refused.map(({ currency }) => currency))];
  return [
    refused.length && `${count(refused.length, "price")} ${verb(refused.length)} not sent: allowed is ${currencies.map(rangeText).join(", ")}.`,
    unread && `${count(unread, "price")} can't be read and ${verb(unread)} not sent.`,
  ].filter(Boolean).join(" ");
}

function reasonNotToChange({ staff }) {
  const who = staff ? `staff (customer ${staff.id})` : "staff";
  return `Read-only: only ${who} have the scope prices:write.`;
}

// What a field shows of a row that may not be on the screen: "862-GRY-18 91.90 → 95.00".
export function editLine(edit) {
  const was = edit.was === null ? "" : `${fieldText(edit.was, edit.currency)} `;
  return [el("code", {}, edit.sku), ` ${was}→ `, el("b", {}, edit.text), edit.reason && ` ${edit.reason}`];
}
