#!/bin/sh
# Builds zkrollup/engine/_native.abi3.so inside this working tree, for development.
# Usage: native/build_inplace.sh [cmake options]; PYTHON chooses the interpreter (it needs cffi).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
bin=$("$python" -c 'import sysconfig; print(sysconfig.get_path("scripts"))')
PATH="$bin:$PATH"
build="$root/build/inplace"
mkdir -p "$root/build"
generator="Unix Makefiles"
if command -v ninja >/dev/null 2>&1; then generator=Ninja; fi
cmake -S "$root" -B "$build" -G "$generator" -DPython_EXECUTABLE="$("$python" -c 'import sys; print(sys.executable)')" \
      -DZKR_WERROR=ON "$@" >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" --parallel 2
cp "$build"/_native*.so "$root/zkrollup/engine/_native.abi3.so.new"
mv "$root/zkrollup/engine/_native.abi3.so.new" "$root/zkrollup/engine/_native.abi3.so"
