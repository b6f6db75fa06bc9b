#!/bin/sh
# Creates .venv and installs this project and its tests into it, at the versions
# of constraints.txt. `make` calls it when .venv is missing or out of date.
#
# PYTHON names the interpreter; without it the first of python3, python3.11,
# python3.12, python3.13 that is fit is taken.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "create_venv: $1" >&2
    exit 2
}

# Prints "3.11.7", or nothing where this is no Python.
version_of() {
    "$1" -c 'import platform; print(platform.python_version())' 2>/dev/null \
        || true
}

is_fit() {
    case "$(version_of "$1")" in
        3.11.* | 3.12.* | 3.13.*) return 0 ;;
        *) return 1 ;;
    esac
}

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_fit "$PYTHON" || fail "needs Python 3.11, 3.12 or 3.13; \
PYTHON=$PYTHON is $(version_of "$PYTHON" | grep . || echo 'no Python')"
        python=$PYTHON
        return
    fi
    for python in python3 python3.11 python3.12 python3.13; do
        if is_fit "$python"; then return; fi
    done
    fail "needs Python 3.11, 3.12 or 3.13; python3 is \
$(version_of python3 | grep . || echo missing); \
name another with PYTHON=/path/to/python3.11"
}

# Debian takes ensurepip out of python3.11 into python3.11-venv; a pip of the
# system can stand in for it, and root may install the package.
create_venv() {
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv --clear .venv
        return
    fi
    if "$python" -c 'import pip, venv' 2>/dev/null; then
        "$python" -m venv --clear --without-pip .venv
        "$python" -m pip --python .venv/bin/python install --quiet pip
        return
    fi
    package=$("$python" -c \
        'import sys; print("python%d.%d" % sys.version_info[:2])')-venv
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        echo "installing $package, without which Debian's Python makes no .venv"
        apt-get update -qq >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$package" \
            >/dev/null && "$python" -m venv --clear .venv && return
    fi
    fail "$python cannot create a virtual environment; \
install the package $package (apt-get install $package)"
}

install() {
    # Lines of pip tell a person that it works; a log needs only its errors.
    quiet=--quiet
    if [ -t 1 ]; then quiet=; fi
    pip=".venv/bin/python -m pip --disable-pip-version-check install $quiet"
    $pip --constraint constraints.txt setuptools wheel
    # Built with the locked setuptools of .venv, not with the newest.
    $pip --constraint constraints.txt --no-build-isolation --editable '.[test]'
}

# A folder that was moved, or whose interpreter is gone, cannot be mended.
if is_fit .venv/bin/python; then
    echo "updating .venv (Python $(version_of .venv/bin/python))"
else
    choose_python
    echo "creating .venv with $python (Python $(version_of "$python"))"
    create_venv
fi
echo "installing the versions of constraints.txt into .venv (TensorFlow alone \
is 600 MB: some minutes)"
install
touch .venv/installed
echo "installed"
