// Tries again by itself: soon at first, then every 15 s, and at once when the network is back.

export const LONGEST_PAUSE = 15_000;

/** Milliseconds before try `number` (0, 1, …): 1 s, 2 s, 4 s, … 15 s; never under `least`. */
export function pause(number, least = 0) {
  return Math.max(least, Math.min(LONGEST_PAUSE, 1000 * 2 ** number));
}

/** Runs `again` after growing pauses until `stop()`; `schedule` and `cancel` are those of timers. */
export class Retry {
  constructor(again, { schedule = setTimeout, cancel = clearTimeout, now = Date.now } = {}) {
    this.again = again;
    this.now = now;
    this.schedule = (...args) => schedule(...args);
    this.cancel = (timer) => cancel(timer);
    this.stop();
  }

  /** Plans the next try; a planned one stays. */
  plan(least = 0) {
    if (this.timer !== null) return;
    this.earliest = this.now() + least;
    this.timer = this.schedule(() => {
      this.timer = null;
      this.again();
    }, pause(this.tries++, least));
  }

  /** Whether the gateway wants no try yet (`Retry-After`). */
  get isHeld() {
    return this.timer !== null && this.now() < this.earliest;
  }

  /** Tries at once, if a try is planned and not held: the network is back, or the page is visible again. */
  hurry() {
    if (this.timer === null || this.isHeld) return;
    this.cancel(this.timer);
    this.timer = null;
    this.again();
  }

  stop() {
    if (this.timer) this.cancel(this.timer);
    this.timer = null;
    this.tries = 0;
    this.earliest = 0;
  }
}
