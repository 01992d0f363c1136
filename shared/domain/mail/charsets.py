"""Bytes of unknown honesty into text: labels lie, are misspelt, or name codecs that are no charset at all.

Nothing here raises. What cannot be read becomes U+FFFD, so that the rest of a mail stays readable.
"""

from __future__ import annotations

import codecs
import re

# A mail may name only these codecs. Python has others ("idna", "zlib", "unicode_escape") that are slow or harmful.
_SINGLE_BYTE = frozenset(
    ["cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp437", "cp737"]
    + ["cp850", "cp852", "cp855", "cp857", "cp858", "cp860", "cp862", "cp866", "cp874", "koi8-r", "koi8-u", "mac-roman"]
    + ["mac-cyrillic", "tis-620", "hp-roman8", "ptcp154"]
    + [f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)]
)
_MULTI_BYTE = frozenset(["gb18030", "big5hkscs", "cp932", "cp949", "euc_jp", "johab"])
_ESCAPED = frozenset(
    ["iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_ext", "iso2022_kr", "hz", "utf-7"]
)
_WIDE = frozenset(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])

# What a label says, and what its senders mean: the superset that browsers use as well.
_MEANS = {
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
}
_MISSPELT = {
    "unicode-1-1-utf-7": "utf-7",
    "x-sjis": "cp932",
    "x-gbk": "gb18030",
    "ks_c_5601": "cp949",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "windows-874": "cp874",
    "windows-949": "cp949",
    "windows-31j": "cp932",
    "macintosh": "mac-roman",
    "x-mac-roman": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
}
_LABEL = re.compile(r"[a-z0-9][a-z0-9_.:+-]{0,39}")
_ESCAPED_BYTES = re.compile("[\udc80-\udcff]+")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def decode_bytes(data: bytes, label: str | None, *, maybe_utf8: bool = False) -> str:
    """The text of `data`, whose sender says it is in charset `label`.

    Args:
        label: as written in the mail, None if nothing was written. A language suffix ("utf-8*en") is ignored.
        maybe_utf8: the bytes may have been converted to UTF-8 under their old label, as Gmail does to bodies.
    """
    codec = _codec(label)
    if codec in _ESCAPED and data.isascii() and (text := _strictly(data, codec)) is not None:
        return _LONE_SURROGATES.sub("\ufffd", text)  # UTF-7 can spell half a character
    if codec in _WIDE and (b"\x00" in data or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))):
        return data.decode(codec, "replace").removeprefix("\ufeff")
    if codec in _MULTI_BYTE and not maybe_utf8 and (text := _strictly(data, codec)) is not None:
        return text
    # Text of another charset that is also valid UTF-8, with bytes above 127 in it, practically does not happen.
    if (text := _strictly(data, "utf-8-sig")) is not None:
        return text
    if codec in _SINGLE_BYTE or codec in _MULTI_BYTE:
        return data.decode(codec, "replace")
    return _damaged_utf8_or_western(data)


def repair(text: str) -> str:
    """`text` without lone surrogates: bytes smuggled in by "surrogateescape" are decoded, the rest becomes U+FFFD."""
    if text.isascii():
        return text
    text = _ESCAPED_BYTES.sub(lambda run: decode_bytes(run[0].encode("utf-8", "surrogateescape"), None), text)
    return _LONE_SURROGATES.sub("\ufffd", text)


def _codec(label: str | None) -> str:
    """The Python codec meant by a label; "utf-8" when the label is missing, unknown or no charset."""
    name = (label or "").strip(" \t\"'").lower().partition("*")[0]
    if not _LABEL.fullmatch(name):
        return "utf-8"
    try:
        found = codecs.lookup(_MISSPELT.get(name, name)).name
    except LookupError:
        return "utf-8"
    found = _MEANS.get(found, found)
    return found if found in _SINGLE_BYTE | _MULTI_BYTE | _ESCAPED | _WIDE else "utf-8"


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def _damaged_utf8_or_western(data: bytes) -> str:
    """UTF-8 with some broken bytes keeps its good characters; otherwise it is Windows-1252, whatever was claimed."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    good = sum(1 for char in text if char > "\x7f") - broken
    return text if good >= broken else data.decode("cp1252", "replace")
