#!/usr/bin/env bash
# Runs test programs and scripts that print TAP lines ("ok 1 - name", "not ok 2 - name"), counts the
# lines, and closes with "N passed, N failed". A program that ends badly without a failed line counts
# as one failure, so does one that prints no line at all.
# usage: tests/run.sh PROGRAM...
set -u
passed=0 failed=0 skipped=0
for t in "$@"; do
    out=$(CMOCKA_MESSAGE_OUTPUT=TAP "$t" 2>&1 </dev/null)
    status=$?
    bad=$(grep -c '^not ok' <<<"$out")
    good=$(grep -c '^ok' <<<"$out")
    skip=$(grep -ci '^ok.*# *skip' <<<"$out")
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ] || [ $((good + bad)) -eq 0 ]; then bad=$((bad + 1)); fi
    passed=$((passed + good - skip)) failed=$((failed + bad)) skipped=$((skipped + skip))
    printf '%-44s %4d ok' "${t#build/}" "$good"
    [ "$bad" -gt 0 ] && printf '  %d FAILED' "$bad"
    printf '\n'
    [ "$bad" -gt 0 ] && { grep -v '^ok' <<<"$out" | tail -60 | sed 's/^/    /'; echo "    exit status $status"; }
done
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
