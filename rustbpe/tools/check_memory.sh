#!/bin/sh
# Run the crate's tests under valgrind: exit status 1 for any invalid access or definite leak.
#
#     sh tools/check_memory.sh
set -eu
cd "$(dirname "$0")/.."
tests=$(cargo test --no-run --release 2>&1 | sed -n 's/.*Executable tests.*(\(.*\))/\1/p')
for test in $tests; do
    valgrind --quiet --error-exitcode=1 --leak-check=full --show-leak-kinds=definite \
        --errors-for-leak-kinds=definite "$test" --test-threads=1
done
