# shellcheck shell=bash
# Sourced by the command-line tests. Each check prints one TAP line; the script's exit status is the
# verdict. $BW is the binary; $T is a scratch folder that goes away.
set -u
BW=${BW:-$PWD/bellwether}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export BELLWETHER_DB="$T/shop.db" NO_COLOR=1
count=0 bad=0
ok() { count=$((count + 1)); echo "ok $count - $1"; }
not_ok() { count=$((count + 1)); bad=$((bad + 1)); echo "not ok $count - $1"; shift; printf '%s\n' "$@" | sed 's/^/# /'; }
# check NAME COMMAND...: the command succeeds.
check() { local name=$1; shift; local out; if out=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$out"; fi; }
# equal NAME ACTUAL EXPECTED
equal() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "found:    $2" "expected: $3"; fi; }
# contains NAME TEXT PATTERN: an extended regular expression somewhere in the text.
contains() { if grep -qE -- "$3" <<<"$2"; then ok "$1"; else not_ok "$1" "no match for: $3" "in: $(head -c 2000 <<<"$2")"; fi; }
# fails NAME STATUS PATTERN COMMAND...: the command exits with STATUS and stderr matches.
fails() {
    local name=$1 want=$2 pattern=$3 out status; shift 3
    out=$("$@" 2>&1 >/dev/null); status=$?
    if [ "$status" -eq "$want" ] && grep -qE -- "$pattern" <<<"$out"; then ok "$name"
    else not_ok "$name" "exit $status (wanted $want), no match for: $pattern" "said: $out"; fi
}
finish() { echo "1..$count"; exit $((bad > 0)); }
