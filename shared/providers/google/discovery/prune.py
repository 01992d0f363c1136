"""Cut the discovery documents inside google-api-python-client down to the calls this product makes.

    python -m shared.providers.google.discovery.prune

rewrites the JSON files beside this one; run it after the client library was updated, or after a call was added here.
The full documents are 150 KB and 135 KB of mostly prose; what is left loads in half a millisecond, and a call that is
not listed here does not exist in the built service. The documents are data of an Apache-2.0 package.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

CALLS: Mapping[str, frozenset[str]] = {
    "gmail.v1": frozenset(
        {
            "gmail.users.getProfile",
            "gmail.users.watch",
            "gmail.users.stop",
            "gmail.users.history.list",
            "gmail.users.messages.list",
            "gmail.users.messages.get",
            "gmail.users.messages.attachments.get",
            "gmail.users.threads.get",
            "gmail.users.settings.sendAs.list",
        }
    ),
    "calendar.v3": frozenset(
        {
            "calendar.calendarList.list",
            "calendar.calendars.get",
            "calendar.events.list",
            "calendar.events.get",
            "calendar.events.watch",
            "calendar.channels.stop",
        }
    ),
}
"""Discovery method ids, by the document ("<api>.<version>") that describes them."""

KEPT = ("id", "name", "version", "revision", "protocol", "rootUrl", "servicePath", "baseUrl", "batchPath", "parameters")
PROSE = frozenset({"description", "enumDescriptions", "annotations", "deprecated", "enumDeprecated"})


def original(name: str) -> dict[str, Any]:
    """The full document as the installed client library ships it."""
    from googleapiclient import discovery_cache

    text = (Path(discovery_cache.__file__).parent / "documents" / f"{name}.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def pruned(document: Mapping[str, Any], calls: frozenset[str]) -> dict[str, Any]:
    """The document with only `calls`, the schemas they can reach, and no prose.

    Raises: ValueError if a call is not in the document.
    """
    resources = _resources(document["resources"], calls)
    missing = calls - {method["id"] for method in methods({"resources": resources})}
    if missing:
        raise ValueError(f"{document['id']} does not describe {', '.join(sorted(missing))}")
    kept = {key: document[key] for key in KEPT if key in document}
    schemas = {name: document["schemas"][name] for name in sorted(_reachable(resources, document["schemas"]))}
    return {key: _without_prose(value) for key, value in {**kept, "resources": resources, "schemas": schemas}.items()}


def methods(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every method of a document or of one of its resources, however deep."""
    yield from document.get("methods", {}).values()
    for resource in document.get("resources", {}).values():
        yield from methods(resource)


def rendered(name: str) -> str:
    """The text of `<name>.json` in this folder."""
    return json.dumps(pruned(original(name), CALLS[name]), indent=1, sort_keys=True) + "\n"


def _resources(resources: Mapping[str, Any], calls: frozenset[str]) -> dict[str, Any]:
    slim = {}
    for name, resource in resources.items():
        own = {key: method for key, method in resource.get("methods", {}).items() if method["id"] in calls}
        below = _resources(resource.get("resources", {}), calls)
        if own or below:
            slim[name] = {key: value for key, value in (("methods", own), ("resources", below)) if value}
    return slim


def _reachable(node: object, schemas: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting: list[object] = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            name = current.get("$ref")
            if isinstance(name, str) and name not in found:
                found.add(name)
                waiting.append(schemas[name])
            waiting.extend(current.values())
        elif isinstance(current, list):
            waiting.extend(current)
    return found


def _without_prose(node: object) -> object:
    """Drop explanations. A key whose value is a map is a field that happens to be called so, and stays."""
    if isinstance(node, dict):
        return {key: _without_prose(value) for key, value in node.items() if key not in PROSE or _is_field(key, value)}
    if isinstance(node, list):
        return [_without_prose(item) for item in node]
    return node


def _is_field(key: str, value: object) -> bool:
    return key == "description" and isinstance(value, dict)


if __name__ == "__main__":
    for name in CALLS:
        (FOLDER / f"{name}.json").write_text(rendered(name), "utf-8")
