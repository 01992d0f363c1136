#!/usr/bin/env bash
# Make .venv with everything pinned in requirements-dev.txt: local/venv.sh PYTHON
set -euo pipefail
python=$1

if ! "$python" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] < (3, 14)))' 2>/dev/null; then
  echo "Python 3.11 to 3.13 is needed as '$python'; name another one with: make PYTHON=python3.12" >&2
  exit 2
fi
echo "making .venv with $("$python" --version) ..."
if command -v uv >/dev/null; then
  uv venv -q --allow-existing --python "$python" .venv
  uv pip install -q -p .venv/bin/python uv
else
  if ! "$python" -m venv .venv 2>/dev/null; then
    echo "Python's venv module is missing: sudo apt-get install -y python3-venv" >&2
    exit 2
  fi
  .venv/bin/python -m pip install -q --disable-pip-version-check uv
fi
.venv/bin/uv pip install -q -p .venv/bin/python --compile-bytecode --require-hashes -r requirements-dev.txt
echo "installed $(.venv/bin/uv pip list -q -p .venv/bin/python 2>/dev/null | tail -n +3 | wc -l) packages"
