"""The bundle of one function, as it is deployed: a root main.py, the function's folder, shared/, requirements.txt."""

from __future__ import annotations

import shutil
from pathlib import Path

_ENTRY = '''"""Entry of the deployed function {name}."""

from functions.{name}.main import {name}

__all__ = ["{name}"]
'''
_NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.pyc")


def build_bundle(root: Path, name: str, into: Path) -> Path:
    """Write the bundle of function `name` to the folder `into`/<name>, replacing an older one, and return it.

    Args:
        root: the project: functions/, shared/ and requirements.txt.
    """
    bundle = into / name
    shutil.rmtree(bundle, ignore_errors=True)
    shutil.copytree(root / "functions" / name, bundle / "functions" / name, ignore=_NOT_SHIPPED)
    shutil.copytree(root / "shared", bundle / "shared", ignore=_NOT_SHIPPED)
    shutil.copy2(root / "requirements.txt", bundle)
    (bundle / "main.py").write_text(_ENTRY.format(name=name))
    return bundle
