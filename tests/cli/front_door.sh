#!/usr/bin/env bash
# The front door: help, version, unknown commands, bad options.
. "$(dirname "$0")/lib.sh"
contains "help lists the commands" "$("$BW" --help)" '^  init +'
contains "version is printed" "$("$BW" --version)" '^bellwether [0-9]+\.[0-9]+'
fails "no command is wrong usage" 2 'usage: bellwether' "$BW"
fails "an unknown command is named, the nearest offered" 2 "no command 'inti'.*init" "$BW" inti
fails "a bad option is named" 2 'frobnicate' "$BW" init --frobnicate
contains "each command has help with examples" "$("$BW" init --help)" '^examples:'
finish
