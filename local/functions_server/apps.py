"""All functions in one WSGI application, each under the real functions-framework at /<function name>.

The framework is made for one function per process. Four things keep them apart here: the environment variables and
the module name `main` it leaves behind are taken away between functions, so is the folder it puts on sys.path, and
"/name" is handed on as "/", since Flask would answer it with a redirect that no task queue follows.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import functions_framework
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_create_app: Callable[..., WSGIApplication] = functions_framework.create_app  # the framework has no type hints
_LEFT_BEHIND = ("FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE")


class Functions:
    """Sends /<name>/rest to the function `name`, which sees the path /rest, as behind cloudfunctions.net."""

    def __init__(self, apps: dict[str, WSGIApplication]) -> None:
        self._apps = apps

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        _, _, path = environ.get("PATH_INFO", "").partition("/")
        name, _, rest = path.partition("/")
        if name == "healthz":
            return Response("ok")(environ, start_response)
        app = self._apps.get(name)
        if app is None:
            return Response(f"no function named '{name}'\n", status=404)(environ, start_response)
        environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/{name}"
        environ["PATH_INFO"] = f"/{rest}"
        return app(environ, start_response)


def load_functions(folder: Path) -> Functions:
    """Return an application serving every `folder`/<name>/main.py, whose function is called `name` too.

    Raises:
        functions_framework.exceptions.FunctionsFrameworkException: a main.py has no function of its folder's name.
    """
    sources = sorted(folder.glob("*/main.py"))
    return Functions({source.parent.name: _load(source.parent.name, source) for source in sources})


def _load(name: str, source: Path) -> WSGIApplication:
    before = list(sys.path)
    app = _create_app(target=name, source=str(source))
    sys.path[:] = before
    sys.modules.pop("main", None)
    for variable in _LEFT_BEHIND:
        os.environ.pop(variable, None)
    return app
