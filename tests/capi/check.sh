#!/usr/bin/env bash
# What is checked of the C library beside `cargo test --test capi`:
#
#     tests/capi/check.sh compile    headers and examples, by every compiler and standard, no warning
#     tests/capi/check.sh link       a staged prefix: pkg-config, CMake, static and shared, beside
#                                    another Rust library
#     tests/capi/check.sh asan       the tests with ASan and UBSan
#     tests/capi/check.sh memcheck   the tests under valgrind
#     tests/capi/check.sh abi        the ABI against tests/capi/abi.xml, by libabigail
#     tests/capi/check.sh sizes      of the shared library, stripped
#
# UPDATE_ABI=1 writes abi.xml anew. Says SKIPPED of what is not there, and is none of these where DW_STRICT
# is set: then it fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${CARGO_TARGET_DIR:-target}/capi-check
mkdir -p "$out"
stage=$out/stage

skip() {
    [ -z "${DW_STRICT:-}" ] || { echo "missing: $*" >&2; exit 1; }
    echo "SKIPPED: $*"
}
has() { command -v "$1" >/dev/null; }
staged() { [ -n "${is_staged:-}" ] || ffi-examples/stage "$stage"; is_staged=1; }

warnings=(-Wall -Wextra -Werror -pedantic -Wconversion -Wshadow)

compile() {
    local compiler standard file count=0
    local c_files=(ffi-examples/c/*.c tests/capi/c/*.c) cpp_files=(ffi-examples/cpp/*.cpp tests/capi/c/*.cpp)
    # A header has to stand by itself, and twice.
    printf '#include <deltawire.h>\n#include <deltawire.h>\nint main(void) { return DW_OK; }\n' >"$out/twice.c"
    printf '#include <deltawire.hpp>\n#include <deltawire.hpp>\nint main() { return DW_OK; }\n' >"$out/twice.cpp"
    c_files+=("$out/twice.c") cpp_files+=("$out/twice.cpp")
    for compiler in gcc clang; do
        has $compiler || { skip "$compiler"; continue; }
        for standard in c99 c11 c17 c2x; do
            for file in "${c_files[@]}"; do
                $compiler -std=$standard "${warnings[@]}" -Wstrict-prototypes -Iinclude -c "$file" -o "$out/o.o"
                count=$((count + 1))
            done
        done
    done
    for compiler in g++ clang++; do
        has $compiler || { skip "$compiler"; continue; }
        for standard in c++17 c++20; do
            for file in "${cpp_files[@]}"; do
                $compiler -std=$standard "${warnings[@]}" -Iinclude -c "$file" -o "$out/o.o"
                count=$((count + 1))
            done
        done
    done
    echo "$count compilations by gcc and clang without a warning"
    # Other systems' headers: what needs only the standard library.
    if ! python3 -c 'import ziglang' 2>/dev/null; then
        skip "ziglang (pip install ziglang)"
        return
    fi
    count=0
    local target
    for target in x86_64-windows-gnu aarch64-linux-musl aarch64-macos; do
        for file in ffi-examples/c/deltas.c "$out/twice.c"; do
            python3 -m ziglang cc -target $target -std=c99 "${warnings[@]}" -Wstrict-prototypes -Iinclude -c "$file" -o "$out/o.o"
            count=$((count + 1))
        done
        for file in ffi-examples/cpp/deltas.cpp "$out/twice.cpp"; do
            python3 -m ziglang c++ -target $target -std=c++17 "${warnings[@]}" -Iinclude -c "$file" -o "$out/o.o"
            count=$((count + 1))
        done
    done
    echo "$count for Windows, musl and macOS"
}

link() {
    staged
    local stream=tests/data/serve-chat.sse
    # Moved, since no file may name where it was made.
    rm -rf "$out/moved" && cp -a "$stage" "$out/moved"
    export PKG_CONFIG_PATH="$PWD/$out/moved/lib/pkgconfig"
    [ "${out#/}" = "$out" ] || export PKG_CONFIG_PATH="$out/moved/lib/pkgconfig"
    has pkg-config || { skip pkg-config; return; }
    # shellcheck disable=SC2046
    cc ffi-examples/c/deltas.c -o "$out/shared" $(pkg-config --cflags --libs deltawire)
    LD_LIBRARY_PATH="$out/moved/lib" "$out/shared" $stream >"$out/shared.out"
    readelf -d "$out/shared" | grep -q 'libdeltawire\.so\.[0-9.]*\]' || { echo "no soname" >&2; return 1; }
    # shellcheck disable=SC2046
    cc ffi-examples/c/deltas.c -o "$out/static" $(pkg-config --cflags deltawire) \
        "$out/moved/lib/libdeltawire.a" $(pkg-config --libs --static deltawire | tr ' ' '\n' | grep -v -e '^-L' -e ldeltawire)
    "$out/static" $stream | cmp - "$out/shared.out"
    echo "pkg-config $(pkg-config --modversion deltawire): shared and static"

    # Two Rust libraries in one program.
    printf '#[unsafe(no_mangle)]\npub extern "C" fn other(n: u32) -> usize { format!("{n:?}").len() }\n' >"$out/other.rs"
    rustc --edition 2024 --crate-type staticlib -O -o "$out/libother.a" "$out/other.rs"
    printf '#include <deltawire.h>\nsize_t other(uint32_t);\nint main(void) {\n    dw_decoder *decoder = NULL;\n    dw_status status = dw_decoder_new(NULL, &decoder);\n    dw_decoder_free(decoder);\n    return status != DW_OK || other(1234) != 4;\n}\n' >"$out/two.c"
    cc "$out/two.c" -o "$out/two" -Iinclude "$out/moved/lib/libdeltawire.a" "$out/libother.a" -lpthread -ldl -lm
    "$out/two"
    echo "two Rust libraries in one program"

    has cmake || { skip cmake; return; }
    mkdir -p "$out/cmake"
    cat >"$out/cmake/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.16)
project(example C CXX)
find_package(deltawire $(pkg-config --modversion deltawire) CONFIG REQUIRED)
add_executable(c-shared $PWD/ffi-examples/c/deltas.c)
target_link_libraries(c-shared deltawire::deltawire)
add_executable(cpp-static $PWD/ffi-examples/cpp/deltas.cpp)
target_compile_features(cpp-static PRIVATE cxx_std_17)
target_link_libraries(cpp-static deltawire::deltawire-static)
CMAKE
    cmake -S "$out/cmake" -B "$out/cmake/build" -DCMAKE_PREFIX_PATH="$(cd "$out/moved" && pwd)" >"$out/cmake.log"
    cmake --build "$out/cmake/build" >>"$out/cmake.log" || { cat "$out/cmake.log"; return 1; }
    "$out/cmake/build/c-shared" $stream | cmp - "$out/shared.out"
    "$out/cmake/build/cpp-static" $stream | cmp - "$out/shared.out"
    if sed 's/find_package(deltawire [0-9.]*/find_package(deltawire 9.9/' -i "$out/cmake/CMakeLists.txt" &&
        cmake -S "$out/cmake" -B "$out/cmake/build" >"$out/cmake.log" 2>&1; then
        echo "a version that is not there was found" >&2
        return 1
    fi
    echo "CMake: shared and static"
}

memcheck() {
    if has valgrind; then
        # LLVM looks at bytes that have no value yet, and then does not use what it saw: valgrind's
        # complaints about conditions are of that kind (in dialects, which are safe Rust). What a process
        # has once and keeps to its end is no leak.
        DW_TEST_RUNNER="valgrind -q --error-exitcode=99 --undef-value-errors=no --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect --suppressions=$PWD/tests/capi/valgrind.supp" \
            cargo test --quiet --features capi --test capi -- programs abi
        echo "valgrind: no error, no leak"
    else
        skip valgrind
    fi
}

asan() {
    # Allocations that cannot be had are among the tests.
    ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 \
        DW_TEST_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all" \
        cargo test --quiet --features capi --test capi -- programs replay abi
    echo "ASan and UBSan: no error, no leak"
}

abi() {
    has abidiff || { skip "abidiff (package abigail-tools)"; return; }
    # What C sees, so of the header: what is behind the opaque objects is Rust's own business. That the
    # library has these functions and lays out its structs so is what `cargo test --test capi abi` shows.
    python3 - >"$out/stubs.c" <<'STUBS'
import re
print("#include <deltawire.h>")
header = open("include/deltawire.h").read()
for function in re.findall(r"^(?:DW_NODISCARD )?((?:const )?\w+ \**dw_\w+\([^;]*\));", header, re.M):
    print(function, "{}" if function.startswith("void dw_") else "{ return 0; }")
STUBS
    # By its name alone, which is all that the ABI then says of where it lies.
    local include=$PWD/include
    (cd "$out" && cc -g -w -shared -fPIC -I"$include" stubs.c -o libdeltawire.so)
    local now=$out/abi.xml
    abidw --no-corpus-path --no-comp-dir-path --no-show-locs --out-file "$now" "$out/libdeltawire.so"
    if [ -n "${UPDATE_ABI:-}" ]; then
        cp "$now" tests/capi/abi.xml
    fi
    # 4 and 8: a change, and one that breaks. What is added is no break.
    abidiff --no-added-syms tests/capi/abi.xml "$now"
    echo "the ABI is that of tests/capi/abi.xml"
}

# A toolchain that has the standard library's sources, which a small build needs: `cargo rustc`, or nothing.
with_sources() {
    local rustc
    for rustc in "$(command -v rustc)" /usr/bin/rustc; do
        [ -x "$rustc" ] && [ -e "$("$rustc" --print sysroot)/lib/rustlib/src/rust/library" ] || continue
        echo "$(dirname "$rustc")/cargo" "$rustc"
        return
    done
}

# The budgets are those of what is built for size without the transport, and of what is built as usual
# with it.
sizes() {
    local small features size budget is_over=0 toolchain
    read -ra toolchain <<<"$(with_sources)"
    for small in "" 1; do
        if [ -n "$small" ] && [ ${#toolchain[@]} = 0 ]; then
            skip "a toolchain with rust-src (Debian: cargo-web, rustc-web, rust-web-src)"
            return
        fi
        for features in capi capi,client; do
            if [ -n "$small" ]; then
                CARGO=${toolchain[0]} RUSTC=${toolchain[1]} CARGO_TARGET_DIR=$out/small SMALL=1 \
                    FEATURES=$features ffi-examples/stage "$out/sized"
            else
                FEATURES=$features ffi-examples/stage "$out/sized"
            fi
            strip -o "$out/stripped.so" "$out/sized/lib/libdeltawire.so"
            size=$(wc -c <"$out/stripped.so")
            case $small/$features in
                1/capi) budget=400000 ;;
                /capi,client) budget=2500000 ;;
                *) budget= ;;
            esac
            echo "${small:+SMALL=1 }$features: $size bytes${budget:+; budget $budget, $([ "$size" -le $budget ] && echo met || echo OVER)}"
            [ -z "$budget" ] || [ "$size" -le "$budget" ] || is_over=1
            if [ "$small/$features" = 1/capi ]; then
                cc ffi-examples/c/deltas.c -o "$out/small-deltas" -Iinclude -L"$out/sized/lib" -ldeltawire
                LD_LIBRARY_PATH="$out/sized/lib" "$out/small-deltas" tests/data/serve-chat.sse >"$out/small.out"
                grep -q '"complete":true' "$out/small.out"
            fi
        done
    done
    [ $is_over = 0 ]
}

for what; do
    echo "-- $what"
    "$what"
done
