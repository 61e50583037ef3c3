// Which screens have a row of their own on the map, and what is said of the others. No drawing.
import { count } from "../../format.js";

export const MOST_ROWS = 10;

/** Whether something suffers: neither well nor without requests. */
export function isBad({ state }) {
  return state !== "ok" && state !== "quiet";
}

/** What a screen does without a service that is down; one that is complete all the same may have it cached. */
export function effectOf({ state }, { is_critical: isCritical }) {
  return (isCritical ? "fails without it" : "shows less") + (state === "ok" ? " unless cached" : "");
}

function rankOf(screen, isApart) {
  if (screen.state === "failed") return 0;
  if (isBad(screen)) return 1;
  if (isApart) return 9;
  if (screen.down?.some((one) => one.is_critical)) return 2;
  if (screen.state !== "quiet") return 3;
  return screen.down?.length ? 4 : 5;
}

/**
 * The screens that have a row, and per gateway the rest: {gateway, route: "", rest: [screens], rate, …}.
 *
 * Those that suffer come first, then those in use; routes without a screen have a row only where
 * they suffer, or their gateway has no screens. `isWhole` leaves nothing out.
 */
export function chosenRows(screens, gateways, isWhole) {
  const withScreens = new Set(screens.filter(isScreen).map(({ gateway }) => gateway));
  const ranked = screens.map((screen, index) => ({ screen, index, rank: rankOf(screen, !isScreen(screen) && withScreens.has(screen.gateway)) }));
  const byRank = [...ranked].sort((one, other) => one.rank - other.rank || one.index - other.index);
  const fitting = byRank.filter(({ rank }) => rank < 9);
  const most = Math.max(MOST_ROWS, gateways.length);
  const chosen = new Set(isWhole ? ranked : fairly(fitting, most));
  const rows = ranked.filter((one) => chosen.has(one)).sort((one, other) => Math.min(one.rank, 2) - Math.min(other.rank, 2) || one.index - other.index);
  const rests = gateways.map(({ gateway }) => restOf(gateway, ranked.filter((one) => !chosen.has(one) && one.screen.gateway === gateway)));
  return { rows: rows.map(({ screen }) => screen), rests: rests.filter(Boolean) };
}

/** The first ones of each rank, and of one rank those of each gateway in turn. */
function fairly(ranked, most) {
  const turns = new Map();
  const turnOf = ({ screen, rank }) => {
    const key = `${rank} ${screen.gateway}`;
    turns.set(key, (turns.get(key) ?? 0) + 1);
    return turns.get(key);
  };
  const ordered = ranked.map((one) => ({ one, turn: turnOf(one) }));
  ordered.sort((a, b) => a.one.rank - b.one.rank || a.turn - b.turn || a.one.index - b.one.index);
  return ordered.slice(0, most).map(({ one }) => one);
}

function isScreen({ is_screen: is = true }) {
  return is;
}

function restOf(gateway, ranked) {
  if (!ranked.length) return null;
  const rest = ranked.map(({ screen }) => screen);
  const worst = [...ranked].sort((one, other) => one.rank - other.rank)[0].screen;
  return { gateway, route: "", screen: wordsOf(rest), rest, rate: rest.reduce((sum, { rate }) => sum + rate, 0), state: worst.state, blame: worst.blame ?? [], budget_left: null };
}

/** "5 more screens, all complete" · "3 screens without requests, 1 other route". */
function wordsOf(rest) {
  const [screens, routes] = [rest.filter(isScreen), rest.filter((one) => !isScreen(one))];
  const [quiet, bad] = [screens.filter(({ state }) => state === "quiet").length, screens.filter(isBad).length];
  const well = screens.length - quiet - bad;
  const parts = [];
  if (bad) parts.push(`${count(bad, "more screen")} degraded`);
  if (well) parts.push(`${count(well, "more screen")} complete`);
  if (quiet) parts.push(`${well || bad ? quiet : count(quiet, "screen")} without requests`);
  if (routes.length) parts.push(count(routes.length, "other route"));
  return parts.join(", ");
}
