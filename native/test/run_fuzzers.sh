#!/bin/sh
# Feeds the readers of files in C with damaged bytes, under AddressSanitizer and UndefinedBehaviorSanitizer:
# with clang's libFuzzer, guided by coverage, where it is there, and in any case with the target's own driver,
# which damages good inputs and is the same in every run.
# Usage: native/test/run_fuzzers.sh [SECONDS each, 10]; CC and CLANG choose the compilers. Exit code 0 when
# nothing went wrong; an input that did is kept in build/fuzzers.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build="$root/../build/fuzzers"
seconds=${1:-10}
cc=${CC:-cc}
clang=${CLANG:-clang}
mkdir -p "$build/corpus"

# Only what the readers need, on the portable path; parts of 5 items, so that small inputs are read in several.
sources=""
for name in file_zkey file_r1cs file_values file_parts file_distinct random threads dispatch kernels_portable; do
    sources="$sources $root/src/$name.c"
done
flags="-std=gnu11 -O1 -g1 -fno-omit-frame-pointer -fno-strict-aliasing -DZKR_FILE_LEAST=5u -I$root/include -I$root/src"
checks="address,undefined"

echo "== fuzz_zkey: driver, $checks"
# shellcheck disable=SC2086
$cc $flags -fsanitize=$checks -fno-sanitize-recover=all "$root/test/fuzz_zkey.c" $sources -lpthread \
    -o "$build/fuzz_zkey"
"$build/fuzz_zkey" "$seconds"

echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n ? 0 : 0; }' >"$build/probe.c"
if ! $clang -fsanitize=fuzzer "$build/probe.c" -o "$build/probe" >/dev/null 2>&1; then
    echo "== fuzz_zkey: no clang with libFuzzer here; coverage-guided fuzzing left out"
    exit 0
fi
echo "== fuzz_zkey: libFuzzer, $checks"
"$build/fuzz_zkey" --seeds "$build/corpus"
# shellcheck disable=SC2086
$clang $flags -DZKR_LIBFUZZER -fsanitize=fuzzer,$checks -fno-sanitize-recover=all "$root/test/fuzz_zkey.c" \
    $sources -lpthread -o "$build/fuzz_zkey_guided"
"$build/fuzz_zkey_guided" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$build/" "$build/corpus" >"$build/guided.log" 2>&1 || { tail -40 "$build/guided.log"; exit 1; }
grep -E "cov:|stat::number_of_executed_units" "$build/guided.log" | tail -2
