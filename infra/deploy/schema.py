"""The versions of documents the code writes, compared with those that earlier releases may have written.

The record lies in the state bucket and is raised before a release may write anything: it holds, for each kind of
document, the newest version any release wrote. Kinds are known by the names of their shapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from shared.records.codec import Kind

Schema = Mapping[str, int]


def code_schema(root: Path) -> dict[str, int]:
    """Every Kind that a module of shared/ defines, by the name of its shape, with its version."""
    found: dict[str, int] = {}
    for path in sorted((root / "shared").rglob("*.py")):
        if "Kind(" in path.read_text("utf-8"):
            module = import_module(".".join(path.relative_to(root).with_suffix("").parts))
            kinds = (kept for kept in vars(module).values() if isinstance(kept, Kind))
            found.update({kind.shape.__name__: kind.version for kind in kinds})
    return found


def newer_than(stored: Schema, code: Schema) -> Iterator[tuple[str, int, int | None]]:
    """(kind, stored version, the newest the code knows) of what the code could not read."""
    for name, version in sorted(stored.items()):
        known = code.get(name)
        if known is not None and version > known:
            yield name, version, known


def raised(stored: Schema, code: Schema) -> dict[str, int]:
    """The record once the code may have written."""
    names = sorted({*stored, *code})
    return {name: max(stored.get(name, 1), code.get(name, 1)) for name in names}


def raises(stored: Schema, code: Schema) -> list[str]:
    """Kinds that the code writes in a version the earlier releases cannot read."""
    return [name for name, version in sorted(code.items()) if version > stored.get(name, version)]
