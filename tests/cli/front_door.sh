#!/usr/bin/env bash
# The front door: help, version, unknown commands, bad options.
. "$(dirname "$0")/lib.sh"
contains "help lists the commands" "$("$BW" --help)" '^  init +'
contains "version is printed" "$("$BW" --version)" '^bellwether [0-9]+\.[0-9]+'
fails "no command is wrong usage" 2 'usage: bellwether' "$BW"
fails "an unknown command is named, the nearest offered" 2 "no command 'inti'.*init" "$BW" inti
fails "a bad option is named" 2 'frobnicate' "$BW" init --frobnicate
for c in $("$BW" --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    help=$("$BW" "$c" --help 2>"$T/err")
    contains "$c has help with examples, or with parts" "$help" '^(examples|parts):'
    equal "$c --help is a result, not a note" "$(cat "$T/err")" ""
    equal "$c --help is plain text" "$(tr -dc '\033' <<<"$help" | wc -c)" 0
done
"$BW" init >/dev/null
fails "a folder without a report" 1 "facts.json.*bellwether report" "$BW" verify "$T"
finish
