// The error budget of a screen, and how fast it is spent, in words.
import { number } from "../../format.js";

export const BUDGET_NOTE = "Of the last 24 hours, as the running processes have counted them";
export const BURN_NOTE = "Of the last 5 minutes: at 1× the budget lasts exactly 24 hours";

/** Whether a screen has an objective, and so a budget. */
export function hasBudget({ budget_left: left }) {
  return left !== null && left !== undefined;
}

/** Whether the budget is spent faster than allowed. */
export function isBurning({ burn }) {
  return burn > 1;
}

export function burnOf({ burn }) {
  return `${number(burn)}${burn === null || burn === undefined ? "" : "×"}`;
}
