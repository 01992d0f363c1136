"""The few HTML pages a person sees: plain, escaped, without script."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#202124;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:0 0 2rem}td,th{border:1px solid #dadce0;padding:.3rem .7rem;text-align:left}
th{background:#f1f3f4}label{display:block;margin:.4rem 0}fieldset{border:1px solid #dadce0;margin:1rem 0}
button{font:inherit;padding:.4rem 1.4rem;margin-right:.6rem}small{color:#5f6368}
"""


def page(title: str, *content: Markup) -> str:
    """Return a whole document; `content` is trusted markup, `title` is escaped."""
    head = Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{}</title><style>{}</style></head>'
    )
    body = Markup("<body><h1>{}</h1>{}</body></html>").format(title, Markup("").join(content))
    return str(head.format(title, Markup(_STYLE)) + body)  # noqa: S704 - the style is a constant of this file


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Markup:
    """Return a heading and a table; every cell is escaped."""
    head = Markup("").join(Markup("<th>{}</th>").format(column) for column in columns)
    lines = [Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row) for row in rows]
    body = Markup("").join(Markup("<tr>{}</tr>").format(line) for line in lines)
    return Markup("<h2>{}</h2><table><tr>{}</tr>{}</table>").format(escape(title), head, body)
