// The products that a search found: they belong to one query.

/** `items` and `next` (the cursor of what follows, or null) of the present query; `begin()` starts another one. */
export class Results {
  constructor() {
    this.turn = 0;
    this.begin();
  }

  /** Forgets what was found: the next answer, whatever it holds, replaces it. */
  begin() {
    this.turn += 1;
    this.items = [];
    this.next = null;
  }

  /**
   * Takes the first page of the present query, and returns whether it replaces what was there. The same query
   * loaded again still has the pages that were added, if its first page is as it was.
   */
  accept({ items, next }) {
    const isSame = items.length > 0 && this.items.length > items.length && items.every(({ id }, at) => id === this.items[at].id);
    if (isSame) return false;
    this.items = items;
    this.next = next;
    return true;
  }

  /** Adds the next page; returns false if it is one of an older query. */
  add(turn, { items, next }) {
    if (turn !== this.turn) return false;
    this.items = [...this.items, ...items];
    this.next = next;
    return true;
  }
}
