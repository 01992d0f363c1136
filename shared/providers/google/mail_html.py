"""HTML from strangers: made safe before it is stored, and read as text where nothing else was sent (G17).

What is allowed is listed; everything else goes. Remote images are moved to `data-src`, where no browser loads them.
"""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from urllib.parse import unquote

# An HTML parser needs time that grows with the square of these. Real mail stays far below the limits.
_NESTED_AT_MOST = 500
_REFERENCES_IN_A_ROW = 20_000
_ATTRIBUTES_AT_MOST = 1000

_EVERYWHERE = {"style", "align", "dir", "lang"}
_SIZED = {"width", "height"}
_CELL = {"colspan", "rowspan", "bgcolor", "valign", "nowrap", *_SIZED}
_INLINE_TAGS = """
    abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup time
    tt u var wbr
"""
_BLOCK_TAGS = """
    address article aside blockquote br caption center dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6
    header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul
"""
_TAGS = {"a", "img", "col", "colgroup", *_INLINE_TAGS.split(), *_BLOCK_TAGS.split()}
_ATTRIBUTES = {
    "*": _EVERYWHERE,
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "border", *_SIZED},
    "font": {"color", "face", "size"},
    "table": {"bgcolor", "border", "cellpadding", "cellspacing", *_SIZED},
    "tr": {"bgcolor", "valign"},
    "td": _CELL,
    "th": _CELL,
    "col": {"span", "width"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "li": {"value"},
}
# Gmail's own marks of quotes and signatures; other class names could borrow the look of the page around the mail.
_CLASSES = {
    "div": {"gmail_quote", "gmail_quote_container", "gmail_attr", "gmail_signature"},
    "blockquote": {"gmail_quote"},
}
_ACTIVE_TAGS = """
    applet audio canvas embed frameset iframe math noembed noframes noscript object script select style svg template
    textarea title video xmp
"""
_GONE_WITH_CONTENT = set(_ACTIVE_TAGS.split())

_STYLES = """
    background-color border border-bottom border-collapse border-color border-left border-radius border-right
    border-spacing border-style border-top border-width color direction font font-family font-size font-style
    font-variant font-weight height letter-spacing line-height list-style-type margin margin-bottom margin-left
    margin-right margin-top max-width min-width padding padding-bottom padding-left padding-right padding-top
    text-align text-decoration text-indent text-transform vertical-align white-space width word-break word-wrap
"""
_STYLE_NAMES = frozenset(_STYLES.split())
# No functions but colours, no escapes, no negative lengths (they move text over its surroundings).
_STYLE_VALUE = re.compile(r"(?:rgba?\([\d\s.,%]*\)|(?!-[\d.])[\w#%.,\s'\"!-])*", re.ASCII)

_IMAGE = re.compile(r"<img( [^<>]*)>")
_REMOTE_SOURCE = re.compile(r'(?<= )src="(?=https?:)')
_CID_SOURCE = re.compile(r'<img [^<>]*?(?<= )src="cid:([^"]+)"')

_TAG_NAME = re.compile(r"<(/?)([a-zA-Z][^\t\n\f\r />]*+)")
_ATTRIBUTE = (
    r"""[\t\n\f\r /]*+=?[^\t\n\f\r />=]++(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:"[^"]*+"|'[^']*+'|[^\t\n\f\r >]*+))?+"""
)
_ALLOWED_ATTRIBUTES = re.compile(f"(?:{_ATTRIBUTE}){{0,{_ATTRIBUTES_AT_MOST}}}+")
_ONE_ATTRIBUTE = re.compile(_ATTRIBUTE)
_TIMES_READ = 8
_CLOSE_THEMSELVES = """
    area base br caption col colgroup dd dt embed hr img input li link meta optgroup option p param source tbody td
    tfoot th thead tr track wbr
"""
_NEVER_NESTED = frozenset(_CLOSE_THEMSELVES.split())

_DATA_URL = re.compile(r"data:[a-z]+/[^\s\"'<>)]*", re.IGNORECASE)
_BLOCK_TAG = re.compile(r"<(/?)([a-z0-9]+)>")
_ANY_TAG = re.compile(r"<[^<>]*>")
_INVISIBLE = "\u00ad\u034f\u200b\u200c\u200d\u2060\ufeff"
_QUOTE_DEPTH_SHOWN = 10


def is_hostile(html: str) -> bool:
    """Whether `html` is built so that reading it would take minutes.

    Whatever looks like a tag is counted, even inside comments and quotes: then no trick can hide one.
    """
    if any(stretch.count("&") > _REFERENCES_IN_A_ROW for stretch in html.split("<")):
        return True
    opened: Counter[str] = Counter()
    depth = read = 0
    for tag in _TAG_NAME.finditer(html):
        end = _end_of_attributes(html, tag.end())
        read += end - tag.end()
        if _ONE_ATTRIBUTE.match(html, end) or read > _TIMES_READ * len(html):
            return True
        name = tag[2].lower()
        if name in _NEVER_NESTED:
            continue
        if not tag[1]:
            opened[name] += 1
            depth += 1
        elif opened[name] and name != "html":  # repeated <html> tags add up, closed or not
            opened[name] -= 1
            depth -= 1
        if depth > _NESTED_AT_MOST:
            return True
    return False


def _end_of_attributes(html: str, start: int) -> int:
    """Where the attributes end that begin at `start`, or the first that is one too many.

    Source: the HTML standard's tokenizer, from "before attribute name" to "after attribute value (quoted)".
    """
    attributes = _ALLOWED_ATTRIBUTES.match(html, start)
    return attributes.end() if attributes else start


def without_data_urls(html: str) -> str:
    """`html` without embedded files: they are never shown, and can be most of it."""
    return _DATA_URL.sub("data:,", html)


def clean(html: str) -> str:
    """`html` without anything that acts: scripts, handlers, forms, frames, foreign styles, remote or data: images.

    Links open in a new page and tell it nothing. Not to be called with HTML that `is_hostile`.
    """
    import nh3

    safe = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_GONE_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        allowed_classes=_CLASSES,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    # nh3 writes every attribute in double quotes with "<", ">" and quotes escaped, so tags can be told by their edges.
    return _IMAGE.sub(_with_remote_source_aside, safe)


def shown_content_ids(cleaned: str) -> frozenset[str]:
    """Content ids of the parts that cleaned HTML shows as images, percent-decoded, without brackets."""
    return frozenset(unquote(unescape(source)) for source in _CID_SOURCE.findall(cleaned))


def text_of(html: str) -> str:
    """The words of `html` in lines, quotes marked with "> " and list items with "- "."""
    import nh3

    if is_hostile(html):
        return _words_of(html)
    blocks = nh3.clean(
        html,
        tags=set(_BLOCK_TAGS.split()),
        clean_content_tags=_GONE_WITH_CONTENT,
        attributes={},
        link_rel=None,
    )
    return _lines_of(blocks)


def _with_remote_source_aside(image: re.Match[str]) -> str:
    return "<img" + _REMOTE_SOURCE.sub('data-src="', image[1]) + ">"


def _words_of(html: str) -> str:
    """What stands between the tags, one line each."""
    lines = (" ".join(line.split()) for line in unescape(_ANY_TAG.sub("\n", html)).split("\n"))
    return "\n".join(filter(None, lines))


def _attribute(_tag: str, name: str, value: str) -> str | None:
    """The value to keep, None to drop the attribute."""
    if name == "style":
        return _style(value)
    if name == "href":
        return None if value.strip().lower().startswith("cid:") else value
    if name == "src":
        source = f"https:{value}" if value.startswith("//") else value
        return source if source.lower().startswith(("http://", "https://", "cid:")) else None
    return value


def _style(value: str) -> str | None:
    kept = []
    for declaration in value.split(";"):
        name, _, wanted = declaration.partition(":")
        name, wanted = name.strip().lower(), wanted.strip()
        if name in _STYLE_NAMES and wanted and _STYLE_VALUE.fullmatch(wanted):
            kept.append(f"{name}:{wanted}")
    return ";".join(kept) or None


def _lines_of(blocks: str) -> str:
    lines: list[str] = []
    words: list[str] = []
    depth = preformatted = 0
    position = 0

    def end_line() -> None:
        text = "".join(words).rstrip()
        words.clear()
        quote = "> " * min(depth, _QUOTE_DEPTH_SHOWN)
        if text or (lines and lines[-1].strip("> ")):
            lines.append((quote + text).rstrip())

    def say(text: str) -> None:
        if preformatted:
            words.append(text)
        elif visible := " ".join(word for word in text.split() if word.strip(_INVISIBLE)):
            words.append(visible)

    for tag in _BLOCK_TAG.finditer(blocks):
        say(unescape(blocks[position : tag.start()]))
        position = tag.end()
        closes, name = bool(tag[1]), tag[2]
        if name in ("td", "th"):
            words.append(" " if words and not closes else "")
            continue
        if name == "br" or words:
            end_line()
        if name == "blockquote" and closes:
            depth -= 1
        if name in ("p", "blockquote") and lines and lines[-1].strip("> "):
            end_line()
        if name == "blockquote" and not closes:
            depth += 1
        elif name == "pre":
            preformatted += -1 if closes else 1
        elif name == "li" and not closes:
            words.append("- ")
    say(unescape(blocks[position:]))
    end_line()
    while lines and not lines[-1].strip("> "):
        lines.pop()
    return "\n".join(lines).strip("\n")
