"""Mutants that no test can or should notice, by module and name, and why."""

from __future__ import annotations

from collections.abc import Mapping

EXPLAINED: Mapping[str, Mapping[str, str]] = {}
