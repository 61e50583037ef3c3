import assert from "node:assert/strict";
import { test } from "node:test";

import { readProgressively } from "../../../bffs/web/pages/phone/progressive.js";
import { Retry } from "../../../bffs/web/pages/phone/retry.js";
import { failure } from "../../../bffs/web/pages/phone/words.js";

async function readHome(response) {
  const shown = [];
  const options = { client: "phone", origin: "http://gateway", path: "/v1/home", headers: async () => ({}) };
  const result = await readProgressively({ ...options, fetch: async () => response, onPart: (body, parts) => shown.push([{ ...body }, parts]) });
  return { ...result, shown };
}

const lines = (...all) => new Response(all.join(""), { headers: { "content-type": "application/x-ndjson" } });

test("a retry that the gateway holds back is not hurried", () => {
  let clock = 0;
  let tries = 0;
  const timers = [];
  const retry = new Retry(() => tries++, { schedule: (run, ms) => timers.push({ run, ms }), cancel: () => {}, now: () => clock });
  retry.plan(60_000);
  assert.equal(retry.isHeld, true);
  retry.hurry();
  assert.deepEqual([tries, timers[0].ms], [0, 60_000]);
  clock = 60_000;
  assert.equal(retry.isHeld, false);
  retry.hurry();
  assert.equal(tries, 1);
});

test("a failure says when to try again", () => {
  assert.equal(failure("Home", { code: "too_many_requests", retryAfter: 60 }), "Home could not be loaded: too many requests at once. Try again in 60 s.");
});

test("Retry-After of a progressive answer is in its problem", async () => {
  const headers = { "content-type": "application/problem+json", "retry-after": "7" };
  const { problem } = await readHome(new Response("{}", { status: 503, headers }));

  assert.deepEqual([problem.status, problem.retryAfter], [503, 7]);
});

test("an answer that can't be read is a problem, line by line or whole", async () => {
  const document = (text, type = "application/json") => new Response(text, { headers: { "content-type": type } });
  const answers = [document(""), document("null"), document("[]"), document("<p>", "text/html"), lines("<p>\n"), lines("null\n"), lines("5\n"), lines('{"answer":null}\n'), lines('{"answer":5}\n')];
  for (const [number, answer] of answers.entries()) {
    const { ok, problem, facts } = await readHome(answer);
    assert.deepEqual([ok, problem.code, facts.state], [false, "unreadable", "failed"], `answer ${number}`);
  }
});

test("odd problems and parts of a progressive answer keep their status", async () => {
  const html = await readHome(new Response("<h1>Oops</h1>", { status: 500, headers: { "content-type": "text/html" } }));
  assert.deepEqual([html.status, html.problem.code], [500, "status_500"]);
  const odd = await readHome(lines('{"part":"a","status":5,"value":7}\n', '{"problem":{"status":"no","part":1,"errors":"no"},"parts":{"a":null}}\n'));
  assert.deepEqual([odd.status, odd.problem.part, odd.problem.errors, odd.shown], [500, "", [], []]);
});

test("a token that does not come is a timeout", async () => {
  const never = () => new Promise(() => {});
  const { problem } = await readProgressively({ client: "phone", origin: "", path: "/v1/home", headers: never, timeout: 5, fetch: never });

  assert.equal(problem.code, "timeout");
});
