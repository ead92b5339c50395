#!/usr/bin/env bash
# Set the project up: system packages where that is allowed, .venv from uv.lock, the diagram renderers,
# and what single lessons need beside it (environments/).
# Once everything is there it needs no network and takes no time.
set -euo pipefail
cd "$(dirname "$0")/.."

main() {
    system_packages
    local stamp=.venv/.coursemill-setup key
    key=$({ command -v npm; cat pyproject.toml uv.lock scripts/setup.sh package-lock.json environments/tfjs/*.* || true; } 2>/dev/null | sha256sum)
    if starts && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then
        return
    fi
    python_packages
    node_packages
    tensorflow_js
    echo "$key" >"$stamp"
}

# Not so when its Python or a package is gone, or when the whole folder was moved.
starts() {
    [ -f .venv/pyvenv.cfg ] && .venv/bin/coursemill --version >/dev/null 2>&1
}

# Install what scripts/system-packages.txt lists and the machine lacks, or say what is missing.
system_packages() {
    local command package purpose missing=() lost=()
    while read -r command package purpose; do
        case $command in "" | "#"*) continue ;; esac
        has "$command" || { missing+=("$package"); lost+=("  $command: $purpose"); }
    done <scripts/system-packages.txt
    [ ${#missing[@]} -gt 0 ] || return 0
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get) install="apt-get install -y --no-install-recommends ${missing[*]}"
    [ "$(id -u)" = 0 ] || apt=(sudo -n "${apt[@]}")
    if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
        echo "setup: installing ${missing[*]}"
        if "${apt[@]}" update -qq && "${apt[@]}" install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
            return 0
        fi
        echo "setup: apt-get failed; going on without" >&2
    fi
    { echo "setup: missing on this machine, and reported as unavailable:"
      printf '%s\n' "${lost[@]}"
      echo "setup: to install them: sudo $install"; } >&2
}

has() {
    command -v "$1" >/dev/null || return 1
    [ "$1" != java ] || java_17
}

java_17() {
    local version
    version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${version:-0}" -ge 17 ]
}

python_packages() {
    echo "setup: installing the Python packages of uv.lock into .venv"
    export UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=.venv
    # Without pyvenv.cfg .venv/bin/python is the system's: uv would install there, and remove what is not in uv.lock.
    [ -f .venv/pyvenv.cfg ] || rm -rf .venv
    local uv
    uv=$(command -v uv) || { uv=.venv/bin/uv; [ -x "$uv" ] || fetch_uv; }
    # An environment that is there keeps its Python; a new one gets one that TensorFlow has wheels for.
    [ -d .venv ] || export UV_PYTHON="$(newest_python)"
    "$uv" sync --quiet --frozen --compile-bytecode --extra lessons
    # uv looks at what is recorded as installed: files that are gone it misses.
    starts || "$uv" sync --quiet --frozen --compile-bytecode --extra lessons --reinstall
    starts || die "coursemill does not start from .venv" "rm -rf .venv && scripts/setup.sh"
}

# A .venv of the system's Python, with the uv that uv.lock names.
fetch_uv() {
    local python version
    python=$(newest_python) || die "Python 3.11, 3.12 or 3.13 is needed (TensorFlow has no wheels for others)" "sudo apt-get install -y python3 python3-venv"
    "$python" -c 'import ensurepip' 2>/dev/null || venv_module "$python"
    version=$(grep -A 1 '^name = "uv"$' uv.lock | sed -n 's/^version = "\(.*\)"/\1/p')
    "$python" -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$version"
}

newest_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

# Debian keeps venv's pip in a package of its own.
venv_module() {
    local package
    package=$("$1" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')
    if [ "$(id -u)" = 0 ]; then
        apt-get update -qq && apt-get install -y -qq "$package" >/dev/null && return
    elif sudo -n true 2>/dev/null; then
        sudo -n apt-get update -qq && sudo -n apt-get install -y -qq "$package" >/dev/null && return
    fi
    die "$1 cannot make virtual environments" "sudo apt-get install -y $package"
}

# Only for drawing diagrams that are not in notes/_diagrams/ yet: without it they stay text.
node_packages() {
    [ -f package-lock.json ] && command -v npm >/dev/null || return 0
    [ ! node_modules/.package-lock.json -nt package-lock.json ] || return 0
    echo "setup: installing the diagram renderers of package-lock.json into node_modules"
    npm ci --silent --prefer-offline --ignore-scripts --no-fund --no-audit ||
        echo "setup: npm failed; new diagrams will stay text" >&2
}

# The converter and the library of the lesson on TensorFlow.js. They lie inside of .venv, in a part of it that the
# sandbox shows. Without them the lesson says what is unavailable.
tensorflow_js() {
    local given=environments/tfjs tools=.venv/share/tfjs again="rm .venv/.coursemill-setup && scripts/setup.sh"
    [ -f $given/uv.lock ] || return 0
    mkdir -p $tools
    tfjs_converter || echo "setup: no tensorflowjs_converter; the lesson reports it as unavailable. Once more: $again" >&2
    tfjs_library || echo "setup: no @tensorflow/tfjs for Node; the lesson reports it as unavailable. Once more: $again" >&2
}

tfjs_converter() {
    local uv command=$tools/python/bin/tensorflowjs_converter
    # A moved environment names a Python that is gone.
    grep -qsF "$PWD/$tools/python" $command || rm -rf $tools/python
    ! cmp -s $given/uv.lock $tools/uv.lock || [ ! -x $command ] || return 0
    echo "setup: installing the converter of $given/uv.lock into $tools/python"
    uv=$(command -v uv) || uv=.venv/bin/uv
    UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=$PWD/$tools/python \
        "$uv" sync --quiet --frozen --no-editable --project $given --python .venv/bin/python || return
    # Its first start compiles what the sandbox may only read.
    TF_CPP_MIN_LOG_LEVEL=3 $command --version >/dev/null 2>&1 && cp $given/uv.lock $tools/uv.lock
}

tfjs_library() {
    command -v npm >/dev/null || return
    ! cmp -s $given/package-lock.json $tools/package-lock.json || [ ! -d $tools/node_modules ] || return 0
    echo "setup: installing the library of $given/package-lock.json into $tools/node_modules"
    cp $given/package.json $given/package-lock.json $tools
    npm ci --prefix $tools --silent --prefer-offline --ignore-scripts --no-fund --no-audit || {
        rm -rf $tools/node_modules
        return 1
    }
}

die() {
    echo "setup: $1; install it with: $2" >&2
    exit 1
}

main
