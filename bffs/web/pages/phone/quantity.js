// Sets how many of a variant the cart holds: one write at a time, the last wish wins, the same key for a retry.
import { newKey } from "../shared/client.js";

/**
 * The wish for one line of the cart. `send(quantity, key)` writes and returns what a client returns;
 * `changed(state)` gets `{wanted, isSending, problem}` after each step.
 *
 * A failed write is not repeated by itself: `again()` sends it with the key that it had.
 */
export class Quantity {
  constructor(stored, send, changed, makeKey = newKey) {
    Object.assign(this, { stored, wanted: stored, send, changed, makeKey, isSending: false, problem: null, key: null });
  }

  /** Wishes for a quantity; 0 removes the line. */
  set(quantity) {
    this.wanted = Math.max(0, Math.min(99, quantity));
    this.key = null;
    this.problem = null;
    return this.#write();
  }

  again() {
    this.problem = null;
    return this.#write();
  }

  /** Gives the wish up: what the cart holds is shown again. */
  drop() {
    Object.assign(this, { wanted: this.stored, problem: null, key: null });
    this.#say();
  }

  async #write() {
    this.#say();
    if (this.isSending) return; // the write that is under way looks for a newer wish when it ends
    while (this.wanted !== this.stored && !this.problem) {
      const quantity = this.wanted;
      this.key ??= this.makeKey();
      const key = this.key;
      this.isSending = true;
      this.#say();
      const { ok, problem } = await this.send(quantity, key);
      this.isSending = false;
      if (ok) this.stored = quantity;
      else if (this.wanted === quantity) this.problem = problem;
    }
    this.#say();
  }

  #say() {
    const { wanted, isSending, problem } = this;
    this.changed({ wanted, isSending, problem });
  }
}
