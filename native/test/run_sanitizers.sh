#!/bin/sh
# Builds the C core and its tests with sanitizers and runs them: the core and every other test_*.c
# under AddressSanitizer and UndefinedBehaviorSanitizer, the thread pool and a proof's sums under
# ThreadSanitizer too. In the end the fuzzers run, ten seconds each.
# Usage: native/test/run_sanitizers.sh; CC chooses the compiler. Exit code 0 when all passed.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build="$root/../build/sanitizers"
cc=${CC:-cc}
warnings="-Wall -Wextra -Wconversion -Werror"
common="-std=gnu11 -O1 -g1 -fno-omit-frame-pointer -fno-strict-aliasing $warnings -I$root/include -I$root/src"
address="-fsanitize=address,undefined -fno-sanitize-recover=all"
x86=no
case "$(uname -m)" in x86_64 | amd64) x86=yes ;; esac
mkdir -p "$build"

# compile SOURCE OBJECT FLAGS: nothing when the object is newer than all sources
stamp() { find "$root/src" "$root/include" "$root/test" -newer "$1" -name '*.[ch]' 2>/dev/null | head -n 1; }
objects=""
waiting=0
for source in "$root"/src/*.c; do
    name=$(basename "$source" .c)
    flags=""
    case "$name" in
    kernels_adx*) [ $x86 = yes ] || continue; flags="-mbmi2 -madx" ;;
    kernels_ifma*) [ $x86 = yes ] || continue
        flags="-mavx512f -mavx512vl -mavx512dq -mavx512bw -mavx512ifma -mbmi2 -madx" ;;
    dispatch) [ $x86 = no ] || flags="-DZKR_HAVE_ADX -DZKR_HAVE_IFMA" ;;
    esac
    object="$build/$name.o"
    objects="$objects $object"
    if [ ! -e "$object" ] || [ -n "$(stamp "$object")" ]; then
        rm -f "$object"
        $cc $common $address $flags -c "$source" -o "$object" &
        waiting=$((waiting + 1))
        [ $((waiting % 2)) -ne 0 ] || wait
    fi
done
wait
for test in "$root"/test/test_*.c; do
    name=$(basename "$test" .c)
    echo "== $name: address, undefined"
    $cc $common $address "$test" $objects -lpthread -o "$build/$name"
    ASAN_OPTIONS=detect_leaks=1 "$build/$name"
done
# The sums of a proof under ThreadSanitizer, on the portable path: threads do the same on all.
thread_objects=""
for source in "$root"/src/*.c; do
    name=$(basename "$source" .c)
    case "$name" in kernels_adx* | kernels_ifma*) continue ;; esac
    object="$build/$name.thread.o"
    thread_objects="$thread_objects $object"
    if [ ! -e "$object" ] || [ -n "$(stamp "$object")" ]; then
        rm -f "$object"
        $cc $common -fsanitize=thread -c "$source" -o "$object" &
        waiting=$((waiting + 1))
        [ $((waiting % 2)) -ne 0 ] || wait
    fi
done
wait
echo "== test_prove: thread"
$cc $common -fsanitize=thread "$root/test/test_prove.c" $thread_objects -lpthread -o "$build/test_prove_tsan"
TSAN_OPTIONS=halt_on_error=1 "$build/test_prove_tsan"
echo "== test_threads: thread"
$cc $common -fsanitize=thread "$root/test/test_threads.c" "$root/src/threads.c" -lpthread -o "$build/test_threads_tsan"
TSAN_OPTIONS=halt_on_error=1 "$build/test_threads_tsan" --no-fork
"$root/test/run_fuzzers.sh" 10
