// The header Part-Status of a composed response: "profile=ok, deals=fallback;reason=timeout".
import { html } from "../html.js";

/** Its members: {name, state, reason, age}; a member of another form is left out. */
export function membersOf(header) {
  const found = header.split(/,\s*/).map((member) => /^([^=]+)=([^;]+)(?:;(.*))?$/.exec(member)).filter(Boolean);
  return found.map(([, name, state, rest = ""]) => {
    const { reason = "", age = null } = Object.fromEntries(rest.split(";").map((one) => one.split("=")));
    return { name, state, reason, age: age === null ? null : Number(age) };
  });
}

/** The header as it was sent; members that are not ok stand out. */
export function PartStatus({ header }) {
  const members = header.split(/,\s*/);
  return html`Part-Status: ${members.map((member, index) => html`${index ? ", " : ""}${/=ok$/.test(member) ? member : html`<b>${member}</b>`}`)}`;
}
