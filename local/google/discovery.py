"""Google's discovery documents as the law of the wire: which path is which call, which request and answer are legal.

The documents come with google-api-python-client. They are compiled once per process, strictly: a field, parameter or
enum value that the document does not name is a violation. Answers are checked as strictly as requests, so that the
simulator cannot drift from Google unnoticed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from googleapiclient import discovery_cache

from local.google.errors import Json

Check = Callable[[object, str, list[str]], None]
"""Called with a value, its path in the document, and the list that takes one sentence per violation."""

_PATTERNS = {
    "int64": re.compile(r"-?[0-9]{1,19}"),
    "uint64": re.compile(r"[0-9]{1,20}"),
    "byte": re.compile(r"[A-Za-z0-9+/_-]*={0,2}"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "date-time": re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
    ),
}
_PATTERNS["google-datetime"] = _PATTERNS["date-time"]
_RANGES = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1)}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One path or query parameter of a call."""

    name: str
    location: str
    required: bool
    repeated: bool
    check: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Method:
    """One call of an API: its discovery id, parameters, scopes that open it, checks of both bodies (None: no body)."""

    id: str
    parameters: Mapping[str, Parameter]
    scopes: frozenset[str]
    request: Check | None
    response: Check | None


@dataclass(frozen=True, slots=True)
class Match:
    """A request's path, understood."""

    method: Method
    path_parameters: Mapping[str, str]


@dataclass(slots=True)
class Document:
    """One API, compiled. Use `load_document`."""

    name: str
    scope_texts: Mapping[str, str]
    """Every OAuth scope of the API, and what it allows in Google's words."""
    methods: dict[str, Method] = field(default_factory=dict)
    _routes: dict[tuple[str, int], list[tuple[re.Pattern[str], Method]]] = field(default_factory=dict)

    def match(self, http_method: str, raw_path: str) -> Match | None:
        """Return the call that `raw_path` (percent-encoded, without query) stands for, or None."""
        for pattern, method in self._routes.get((http_method, raw_path.count("/")), ()):
            if found := pattern.fullmatch(raw_path):
                return Match(method, {name: unquote(text) for name, text in found.groupdict().items()})
        return None

    def parameter_violations(self, method: Method, query: Mapping[str, list[str]]) -> list[str]:
        """Return one sentence per query parameter that Google would refuse; `query` holds all values of each name."""
        found = []
        for name, values in query.items():
            parameter = method.parameters.get(name)
            if parameter is None or parameter.location != "query":
                found.append(
                    f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
                    f"Field '{name}' could not be found in request message."
                )
                continue
            if len(values) > 1 and not parameter.repeated:
                found.append(f"Invalid value at '{name}': the parameter may be given once.")
            found.extend(problem for value in values if (problem := parameter.check(value)))
        found.extend(
            f"Required parameter: {name}"
            for name, parameter in method.parameters.items()
            if parameter.required and parameter.location == "query" and name not in query
        )
        return found

    def request_violations(self, method: Method, body: Json | None) -> list[str]:
        """Return one sentence per field of the request body that Google would refuse."""
        if method.request is None:
            return [] if body is None else ["Invalid JSON payload received. The request takes no body."]
        problems: list[str] = []
        method.request({} if body is None else body, "", problems)
        return [f"Invalid JSON payload received. {problem}" for problem in problems]

    def response_violations(self, method: Method, body: Json | None) -> list[str]:
        """Return one sentence per field of an answer that the document does not allow."""
        if method.response is None:
            return [] if body is None else [f"{method.id} answers without a body"]
        if body is None:
            return [f"{method.id} must answer with a body"]
        problems: list[str] = []
        method.response(body, "", problems)
        return problems


@cache
def load_document(name: str, version: str) -> Document:
    """Compile one document, for example ("gmail", "v1"); it is read once per process.

    Raises:
        FileNotFoundError: google-api-python-client has no such document.
    """
    folder = Path(discovery_cache.__file__).parent / "documents"
    source = json.loads((folder / f"{name}.{version}.json").read_text())
    checks: dict[str, Check] = {}
    for schema_name, schema in source["schemas"].items():
        checks[schema_name] = _check_of(schema, checks)
    scopes = source.get("auth", {}).get("oauth2", {}).get("scopes", {})
    document = Document(name, {scope: text["description"] for scope, text in scopes.items()})
    for raw in _methods(source):
        method = Method(
            id=raw["id"],
            parameters={
                key: _parameter(key, spec)
                for key, spec in {**source.get("parameters", {}), **raw.get("parameters", {})}.items()
            },
            scopes=frozenset(raw.get("scopes", ())),
            request=_reference(raw["request"]["$ref"], checks) if "request" in raw else None,
            response=_reference(raw["response"]["$ref"], checks) if "response" in raw else None,
        )
        document.methods[method.id] = method
        path = "/" + source.get("servicePath", "") + raw.get("flatPath", raw["path"])
        route = document._routes.setdefault((raw["httpMethod"], path.count("/")), [])
        route.append((_path_pattern(path), method))
    return document


def _methods(resource: Json) -> list[Json]:
    found = list(resource.get("methods", {}).values())
    for child in resource.get("resources", {}).values():
        found.extend(_methods(child))
    return found


def _path_pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", path)
    return re.compile("".join(f"(?P<{piece}>[^/]+)" if n % 2 else re.escape(piece) for n, piece in enumerate(pieces)))


def _parameter(name: str, spec: Json) -> Parameter:
    kind, choices, form = spec.get("type"), spec.get("enum"), spec.get("format", "")
    low, high = _RANGES.get(form, (-(2**63), 2**64))
    low, high = int(spec.get("minimum", low)), int(spec.get("maximum", high))

    def check(value: str) -> str | None:
        if choices and value not in choices:
            return f"Invalid value at '{name}', \"{value}\""
        if kind == "boolean" and value not in ("true", "false"):
            return f"Invalid value at '{name}' (TYPE_BOOL), \"{value}\""
        if kind == "integer" and not (re.fullmatch(r"-?[0-9]{1,19}", value) and low <= int(value) <= high):
            return f"Invalid value at '{name}' ({form or 'integer'}), \"{value}\""
        if kind == "string" and form in _PATTERNS and not _PATTERNS[form].fullmatch(value):
            return f"Invalid value at '{name}' ({form}), \"{value}\""
        return None

    return Parameter(
        name, spec.get("location", "query"), spec.get("required", False), spec.get("repeated", False), check
    )


def _reference(name: str, checks: Mapping[str, Check]) -> Check:
    def check(value: object, where: str, problems: list[str]) -> None:
        checks[name](value, where, problems)

    return check


def _check_of(schema: Json, checks: Mapping[str, Check]) -> Check:
    if "$ref" in schema:
        return _reference(schema["$ref"], checks)
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return _object_check(schema, checks)
    if kind == "array":
        return _array_check(_check_of(schema["items"], checks))
    if kind in (None, "any"):
        return _anything
    return _scalar_check(schema)


def _anything(_value: object, _where: str, _problems: list[str]) -> None:
    """The check of a value that the document leaves open."""


def _object_check(schema: Json, checks: Mapping[str, Check]) -> Check:
    fields = {name: _check_of(child, checks) for name, child in schema.get("properties", {}).items()}
    others = _check_of(schema["additionalProperties"], checks) if "additionalProperties" in schema else None

    def check(value: object, where: str, problems: list[str]) -> None:
        if not isinstance(value, dict):
            problems.append(f"Invalid value at '{where}': an object is expected.")
            return
        for name, item in value.items():
            child = fields.get(name, others)
            if child is None:
                problems.append(f"Unknown name \"{name}\" at '{where}': Cannot find field.")
            else:
                child(item, f"{where}.{name}" if where else name, problems)

    return check


def _array_check(item_check: Check) -> Check:
    def check(value: object, where: str, problems: list[str]) -> None:
        if not isinstance(value, list):
            problems.append(f"Invalid value at '{where}': a list is expected.")
            return
        for number, item in enumerate(value):
            item_check(item, f"{where}[{number}]", problems)

    return check


def _scalar_check(schema: Json) -> Check:
    kind: str = schema["type"]
    form: str = schema.get("format", "")
    choices: list[str] | None = schema.get("enum")
    pattern = _PATTERNS.get(form)
    low, high = _RANGES.get(form, (-(2**63), 2**63 - 1))

    def right(value: object) -> bool:
        if isinstance(value, str):
            legal = not choices or value in choices
            return kind == "string" and legal and (pattern is None or pattern.fullmatch(value) is not None)
        if isinstance(value, bool):
            return kind == "boolean"
        if isinstance(value, int):
            return kind == "number" or (kind == "integer" and low <= value <= high)
        return kind == "number" and isinstance(value, float)

    def check(value: object, where: str, problems: list[str]) -> None:
        if not right(value):
            problems.append(f"Invalid value at '{where}' ({form or kind}).")

    return check
