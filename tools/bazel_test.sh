#!/usr/bin/env bash
# Runs `bazel test //...` with the Python of .venv where bazel is installed, and
# says so where it is not. On Debian 12:
# apt-get install bazel-bootstrap bazel-rules-java bazel-rules-proto
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v bazel >/dev/null; then
    echo "bazel is not installed: \`bazel test //...\` was not run"
    exit 0
fi

# The rules of .bazelrc hand these two to the tests.
export PATH="$PWD/.venv/bin:$PATH"
if [ -z "${NPPNET_SHARED:-}" ] && [ -d ../shared ]; then
    NPPNET_SHARED=$(cd ../shared && pwd)
    export NPPNET_SHARED
fi

bazel test "$@" //...
