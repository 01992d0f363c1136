"""Writes google_schema.json: what the google provider knows of the types that infra/ uses.

    npm install --ignore-scripts --legacy-peer-deps @cdktf/provider-google@16.12.1
    .venv/bin/python -m tests.infra.terraform.extract_schema node_modules/@cdktf/provider-google

The npm package is generated from the provider's own schema (16.12.1 from 6.50.0): its TypeScript declarations name
every argument, its JavaScript every computed attribute. Run it anew after using a new type, or for a newer provider.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.infra.terraform.tools import HERE, ROOT

COMPUTED_TOO = frozenset({"id", "project", "region", "zone", "database", "deletion_policy"})
"""Arguments that the provider fills in when they are left out."""

_SINGLE_TYPES: dict[str, Any] = {
    "string": "string",
    "number": "number",
    "boolean | cdktf.IResolvable": "bool",
    "string[]": ["list", "string"],
    "number[]": ["list", "number"],
    "Array<boolean | cdktf.IResolvable>": ["list", "bool"],
    "{ [key: string]: string; }": ["map", "string"],
    "{ [key: string]: number; }": ["map", "number"],
}
_GETTERS: dict[str, Any] = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "List": ["list", "string"],
    "NumberList": ["list", "number"],
    "StringMap": ["map", "string"],
    "NumberMap": ["map", "number"],
    "BooleanMap": ["map", "bool"],
    "AnyMap": ["map", "string"],
}

_INTERFACE = re.compile(r"export interface (\w+)(?: extends [\w.]+)? \{\n(.*?)\n\}", re.S)
_PROPERTY = re.compile(r"/\*\*(.*?)\*/\s*readonly (\w+)(\??): ((?:\{[^}]*\}|[^;{])+);", re.S)
_ROOT_CLASS = re.compile(r"export declare class (\w+) extends cdktf\.Terraform(?:Resource|DataSource|Provider) \{")
_CLASS_BODY = re.compile(r"^class (\w+) extends cdktf\.\w+ \{\n(.*?)^\}", re.S | re.M)
_SIMPLE_GETTER = re.compile(
    r"get \w+\(\) \{\s*return (?:cdktf\.Fn\.tolist\()?this\.get"
    r"(String|Number|Boolean|List|NumberList|StringMap|NumberMap|BooleanMap|AnyMap)Attribute\('(\w+)'\)"
)
_COMPLEX_GETTER = re.compile(r'this\._\w+ = new (\w+?)(?:List|OutputReference|Map)\(this, "(\w+)"')
_MAP_GETTER = re.compile(r'new cdktf\.(?:StringMap|BooleanMap)\(this, "(\w+)"')

Block = dict[str, Any]


class _Folder:
    """One type's folder of the package."""

    def __init__(self, folder: Path) -> None:
        declared = "".join(path.read_text() for path in sorted(folder.glob("*.d.ts")))
        written = "".join(path.read_text() for path in sorted(folder.glob("*.js")))
        self._properties = {found[1]: self._read(found[2]) for found in _INTERFACE.finditer(declared)}
        self._bodies = {found[1]: found[2] for found in _CLASS_BODY.finditer(written)}
        root = _ROOT_CLASS.search(declared)
        if root is None:
            raise ValueError(f"{folder} declares no type")
        self._root = root[1]

    def block(self) -> Block:
        return self._block(f"{self._root}Config", self._root)

    def _read(self, body: str) -> dict[str, tuple[bool, str]]:
        """Name in Terraform -> whether it is required, and its TypeScript type."""
        found: dict[str, tuple[bool, str]] = {}
        for comment, name, optional, kind in _PROPERTY.findall(body):
            anchor = re.search(r"#(\w+) \w+#", comment)
            snake = anchor[1] if anchor else re.sub("([A-Z])", lambda letter: f"_{letter[1].lower()}", name)
            found[snake] = (not optional, " ".join(kind.split()))
        return found

    def _block(self, interface: str, body: str) -> Block:
        block: Block = {"attributes": {}, "block_types": {}}
        properties = self._properties.get(interface, {})
        for name, (required, declared) in properties.items():
            kind = declared if declared in _SINGLE_TYPES else declared.removesuffix(" | cdktf.IResolvable")
            if kind in _SINGLE_TYPES:
                given = {"required": True} if required else {"optional": True}
                filled = {"computed": True} if not required and name in COMPUTED_TOO else {}
                block["attributes"][name] = {"type": _SINGLE_TYPES[kind], **given, **filled}
                continue
            inner = kind.removesuffix("[]").strip()
            if inner not in self._properties:
                raise ValueError(f"{interface}.{name}: no known type is {declared!r}")
            single = name == "timeouts"
            block["block_types"][name] = {
                "nesting_mode": "single" if single else "list",
                "min_items": 1 if required else 0,
                "max_items": 0 if single or kind.endswith("[]") else 1,
                "block": self._block(inner, f"{inner}OutputReference"),
            }
        for name, kind in self._computed(body, known=set(properties)).items():
            block["attributes"][name] = {"type": kind, "computed": True}
        return block

    def _computed(self, body: str, known: set[str]) -> dict[str, Any]:
        text = self._bodies.get(body, "")
        found: dict[str, Any] = {name: _GETTERS[kind] for kind, name in _SIMPLE_GETTER.findall(text)}
        found |= {name: ["map", "string"] for name in _MAP_GETTER.findall(text)}
        for inner, name in _COMPLEX_GETTER.findall(text):
            if not inner.startswith("cdktf") and name not in found:
                found[name] = ["list", ["object", self._computed(f"{inner}OutputReference", known=set())]]
        return {name: kind for name, kind in found.items() if name not in known}


def used_types(infra: Path) -> tuple[set[str], set[str]]:
    """Resource types and data sources that the configuration names."""
    text = "\n".join(path.read_text() for path in infra.rglob("*.tf"))
    resources = set(re.findall(r'^resource "(google_\w+)"', text, re.M))
    return resources, set(re.findall(r'^data "(google_\w+)"', text, re.M))


def schema(package: Path, resources: set[str], data: set[str]) -> dict[str, Any]:
    def read(prefix: str, kind: str) -> Block:
        return _Folder(package / "lib" / (prefix + kind.removeprefix("google_").replace("_", "-"))).block()

    return {
        "provider": _Folder(package / "lib" / "provider").block(),
        "resource": {kind: read("", kind) for kind in sorted(resources)},
        "data": {kind: read("data-google-", kind) for kind in sorted(data)},
    }


def main() -> None:
    found = schema(Path(sys.argv[1]), *used_types(ROOT / "infra"))
    target = HERE / "google_schema.json"
    target.write_text(json.dumps(found, separators=(",", ":"), sort_keys=True) + "\n")
    print(f"{target}: {target.stat().st_size} bytes, {len(found['resource'])} types, {len(found['data'])} data sources")


if __name__ == "__main__":
    main()
