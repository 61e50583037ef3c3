"""The provider's pages: plain HTML with one style sheet inside, which its hash allows."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Final

from fastapi.responses import HTMLResponse

from services_mock.data import people, users
from services_mock.identity.clients import STAFF

STYLE: Final = """
:root { color-scheme: light dark; --bg: light-dark(#f5f6f8, #0d1013);
  --surface: light-dark(#fff, #14181c); --hover: light-dark(#f0f2f5, #1a1f25);
  --line: light-dark(#dfe3e8, #282f37); --control: light-dark(#7f8996, #66717d);
  --ink: light-dark(#14181d, #eceff3); --muted: light-dark(#5b6572, #98a3af);
  --on-ink: light-dark(#fff, #0d1013); --tint: light-dark(#e3f0fc, #102a42);
  --tint-ink: light-dark(#0b5ca3, #7dbefa);
  font: 15px/22px -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial,
    "Noto Sans", sans-serif; }
* { box-sizing: border-box; }
body { margin: 0; padding: 48px 16px; background: var(--bg); color: var(--ink); }
main { max-width: 400px; margin: 0 auto; padding: 24px; background: var(--surface);
  border: 1px solid var(--line); border-radius: 10px; }
h1 { margin: 0 0 4px; font-size: 20px; line-height: 28px; }
p { margin: 0 0 16px; color: var(--muted); }
p:last-child { margin: 20px 0 0; font-size: 13px; line-height: 20px; }
button, input { font: inherit; color: inherit; }
.customer { display: grid; grid-template-columns: 40px 1fr auto; column-gap: 12px;
  align-items: center; width: 100%; min-height: 60px; margin: 0 0 8px; padding: 8px 12px;
  text-align: left; background: var(--surface); border: 1px solid var(--line);
  border-radius: 6px; cursor: pointer; }
.customer:hover { background: var(--hover); }
.initials { display: grid; place-items: center; width: 40px; height: 40px; border-radius: 50%;
  background: var(--ink); color: var(--on-ink); font-size: 13px; font-weight: 600; }
.name { font-weight: 600; }
.about { display: block; color: var(--muted); font-size: 13px; line-height: 20px; }
.staff { padding: 0 8px; border-radius: 10px; background: var(--tint); color: var(--tint-ink);
  font-size: 12px; line-height: 20px; font-weight: 600; }
.other { display: flex; gap: 8px; align-items: end; margin-top: 16px; }
.other label { flex: 1; color: var(--muted); font-size: 13px; line-height: 20px; }
.other input { display: block; width: 100%; min-height: 44px; margin-top: 4px; padding: 0 12px;
  background: var(--surface); color: var(--ink); border: 1px solid var(--control);
  border-radius: 6px; }
.other button { min-height: 44px; padding: 0 16px; border: 0; border-radius: 6px;
  background: var(--ink); color: var(--on-ink); font-weight: 600; cursor: pointer; }
:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; }
"""

_HASH: Final = b64encode(sha256(STYLE.encode()).digest()).decode()

POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'"
)

PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
<main>
<h1>{title}</h1>
{body}
</main>
</html>
"""

CHOICE: Final = """<p>Sign in to the {client} client as any customer.</p>
<form method="post" action="authorize">{hidden}
{buttons}</form>
<form method="post" action="authorize" class="other">{hidden}<label>Another customer, 1 to {count}
<input name="other" inputmode="numeric" pattern="[0-9]*" autocomplete="off"
required></label>
<button>Sign in</button></form>
<p>A mock provider: no password. Not for anything but development.</p>"""

BUTTON: Final = """<button class="customer" name="user" value="{id}">
<span class="initials" aria-hidden="true">{initials}</span>
<span><span class="name">{name}</span> <span class="about">{about}</span></span>{badge}</button>"""


def html_page(title: str, body: str, status: int = 200) -> HTMLResponse:
    """Return a page; `body` is HTML."""
    headers = {"content-security-policy": POLICY, "x-frame-options": "DENY"}
    return HTMLResponse(PAGE.format(title=title, style=STYLE, body=body), status, headers)


def choice_page(client: str, query: dict[str, str], offered: list[str]) -> HTMLResponse:
    """Return the page to choose a customer; its form sends `query` along."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in query.items()
    )
    buttons = "\n".join(_button(one) for one in offered)
    body = CHOICE.format(
        client=escape(client), hidden=hidden, buttons=buttons, count=f"{users.COUNT}"
    )
    return html_page("Who are you?", body)


def _button(user_id: str) -> str:
    user = users.user(user_id)
    about = f"Customer {user_id}, {user.loyalty.tier}, {user.loyalty.points:,} points"
    badge = '<span class="staff">staff</span>' if user_id in STAFF else ""
    return BUTTON.format(
        id=escape(user_id),
        initials=people.initials(user.name),
        name=escape(user.name.full),
        about=escape(about),
        badge=badge,
    )
