"""Pages for people outside: plain HTML without script, under headers that let nothing else in."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from flask import Response

STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#dfe4ea;--paper:#fff;--ground:#f4f6f8;
--accent:#1f5eff}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#a2adba;--line:#333d49;--paper:#1a212a;--ground:#11161c;
--accent:#7aa2ff}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:46rem;margin:2rem auto;padding:2rem;background:var(--paper);border:1px solid var(--line);
border-radius:10px}@media(max-width:48rem){main{margin:0;border-width:0;border-radius:0;padding:1.25rem}}
h1{font-size:1.6rem;margin:.25rem 0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.5rem 0}
.soft{color:var(--soft)}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:1.5rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding-bottom:.5rem}
th,td{padding:.55rem .5rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}
th:first-child,td:first-child{text-align:left}tfoot tr:last-child{font-weight:700;font-size:1.1rem}
@media(max-width:36rem){th,td{padding:.5rem .2rem;font-size:.8rem}}
tfoot td,tfoot th{border-bottom:0;font-weight:inherit}tbody tr:last-child td{border-bottom:2px solid var(--ink)}
label{display:block;margin:.75rem 0 .2rem;font-weight:600}
input[type=text],input[type=email],textarea{width:100%;padding:.6rem;font:inherit;color:inherit;
background:var(--paper);border:1px solid var(--soft);border-radius:6px}
.tick{display:flex;gap:.6rem;align-items:flex-start;font-weight:400}.tick input{margin-top:.35rem}
button{font:inherit;font-weight:600;padding:.65rem 1.4rem;margin-top:1rem;border-radius:6px;cursor:pointer;
border:1px solid var(--accent);background:var(--accent);color:var(--paper)}
button.second{background:none;color:var(--ink);border-color:var(--soft)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}a{color:var(--accent)}
.note{border-left:4px solid var(--accent);padding:.5rem 1rem;margin:1.5rem 0;background:var(--ground)}
details{margin-top:2rem}summary{cursor:pointer;color:var(--soft)}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""The address of a page is its key: it must not be kept, indexed, or told to another site."""


def page(title: str, content: str, status: int = 200) -> Response:
    """content: HTML whose texts are escaped already."""
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{content}</main></body></html>"
    )
    return Response(body, status=status, mimetype="text/html", headers=HEADERS)


def message_page(status: int, title: str, sentence: str) -> Response:
    return page(title, f"<h1>{escape(title)}</h1><p>{escape(sentence)}</p>", status)


def download(name: str, content: bytes, content_type: str) -> Response:
    """A file to be kept, which no browser runs. name: ours, without quotes or line ends."""
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=content_type, headers=headers)
