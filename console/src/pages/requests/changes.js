// What differs between two requests, the largest difference first. No drawing.
import { rowsOf } from "./rows.js";

const NOISE_SECONDS = 0.002; // smaller differences of durations are chance
const NOISE_SHARE = 0.1;

function partsOf(detail) {
  const sent = new Map(detail.bytes.map(({ part, sent: size }) => [part, size]));
  return new Map(rowsOf(detail).filter(({ part }) => part).map((row) => [row.part, { seconds: row.seconds, state: row.state, sent: sent.get(row.part) ?? null }]));
}

/**
 * The parts of two RequestDetails, each {name, was, is, seconds, bytes, isChanged}: `was` or `is` is undefined
 * where one request has no such part. Those with another state come first, then by milliseconds.
 */
export function partChanges(before, after) {
  const [one, other] = [partsOf(before), partsOf(after)];
  const names = [...new Set([...other.keys(), ...one.keys()])];
  const changes = names.map((name) => changeOf(name, one.get(name), other.get(name)));
  return changes.sort((a, b) => weightOf(b) - weightOf(a));
}

function changeOf(name, was, is) {
  const seconds = was && is ? is.seconds - was.seconds : null;
  const bytes = was && is && was.sent !== null && is.sent !== null ? is.sent - was.sent : null;
  const hasOtherState = was?.state !== is?.state;
  return { name, was, is, seconds, bytes, hasOtherState, isChanged: hasOtherState || Boolean(bytes) || isNoticed(seconds, was?.seconds) };
}

/** Whether a duration differs by more than chance. */
function isNoticed(difference, was) {
  return difference !== null && Math.abs(difference) > Math.max(NOISE_SECONDS, NOISE_SHARE * (was ?? 0));
}

function weightOf({ hasOtherState, isChanged, seconds, bytes }) {
  return (hasOtherState ? 1e6 : 0) + (isChanged ? 1e3 : 0) + Math.abs(seconds ?? 0) + Math.abs(bytes ?? 0) / 1e9;
}

/** The sentences on top: states, then durations, then sizes; `write` has duration() and bytes(). */
export function summaryOf(before, after, write) {
  const [was, is] = [before.row, after.row];
  const changes = partChanges(before, after);
  const found = [];
  if (was.state !== is.state) found.push(`**${is.state}** instead of ${was.state}`);
  else if (was.status !== is.status) found.push(`**${is.status}** instead of ${was.status}`);
  const seconds = is.seconds - was.seconds;
  if (isNoticed(seconds, was.seconds)) found.push(`**${write.duration(Math.abs(seconds))} ${seconds > 0 ? "slower" : "faster"}**${mostly(changes, seconds, write)}`);
  const size = was.size === null || is.size === null ? 0 : is.size - was.size;
  if (size) found.push(`${write.bytes(Math.abs(size))} ${size > 0 ? "larger" : "smaller"}`);
  const states = changes.filter(({ hasOtherState }) => hasOtherState).map(({ name, was: one, is: other }) => `\`${name}\` ${one?.state ?? "not there"} → ${other?.state ?? "not there"}`);
  const first = found.length ? `${capital(found.join(", "))}.` : "As fast, with the same state and size.";
  return states.length ? `${first} ${states.slice(0, 3).join(", ")}${states.length > 3 ? ` and ${states.length - 3} more` : ""}.` : first;
}

/** The part that most of the difference is from, if it is at least half of it. */
function mostly(changes, seconds, write) {
  const same = changes.filter((one) => one.seconds !== null && Math.sign(one.seconds) === Math.sign(seconds));
  const [worst] = same.sort((one, other) => Math.abs(other.seconds) - Math.abs(one.seconds));
  if (!worst || Math.abs(worst.seconds) < Math.abs(seconds) / 2) return "";
  return `: \`${worst.name}\` by ${write.duration(Math.abs(worst.seconds))}`;
}

function capital(text) {
  return text.replace(/^(\**)([a-z])/, (_, stars, letter) => stars + letter.toUpperCase());
}
