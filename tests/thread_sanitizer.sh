#!/bin/sh
# Cancelling, and 200 streams at once, under ThreadSanitizer, the standard library instrumented too:
# otherwise it reports races that are none. Takes some ten minutes, most of them building, and a compiler that
# comes with the library's sources: Debian's rustc-web, rust-web-src and cargo-web, with clang of the
# same LLVM and libclang-rt (CLANG, clang-22 unless set). Not part of .ci/run, which has no such compiler.
#
# Seen with rustc 1.96 and clang 22: no report over both parts. A counter that `Cancel::cancel` raised
# without a lock, put there for one run, was a data race with the lines of both threads, and ended it with
# status 66.
set -eu
cd "$(dirname "$0")/.."
export PATH=/usr/bin:/bin RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR="$PWD/target/tsan"
export RUSTFLAGS="-Zsanitizer=thread -Zexternal-clangrt -Clinker=${CLANG:-clang-22} -Clink-arg=-fsanitize=thread"
target=$($RUSTC -vV | sed -n 's/^host: //p')
for part in cancel two_hundred; do
    # Of a thousand cancels in one process of their own the descriptors are counted, which are no races.
    /usr/bin/cargo test --quiet -Zbuild-std --target "$target" --features client --test client -- \
        "$part" --skip a_thousand_cancels
done
