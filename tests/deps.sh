#!/bin/sh
# Installs the packages that building and testing need, if any is missing. Debian and Ubuntu: by apt,
# with sudo when not root. Elsewhere: prints the list and stops.
DEBIAN="gcc make libsqlite3-dev sqlite3 libgsl-dev libcjson-dev libcsv-dev libopenblas-dev
 libutf8proc-dev zlib1g-dev libcmocka-dev gnuplot-nox fonts-inter fonts-noto-cjk python3"
FEDORA="gcc make sqlite-devel sqlite gsl-devel cjson-devel libcsv-devel openblas-devel
 utf8proc-devel zlib-devel libcmocka-devel gnuplot-minimal rsms-inter-fonts google-noto-sans-cjk-fonts python3"
BREW="gcc make sqlite gsl cjson libcsv openblas utf8proc zlib cmocka gnuplot python3"

missing=""
if command -v dpkg-query >/dev/null 2>&1; then
    for p in $DEBIAN; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
    done
    [ -z "$missing" ] && exit 0
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    echo "installing:$missing"
    # shellcheck disable=SC2086
    if ! { $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null; }; then
        echo "these packages could not be installed:$missing" >&2
        exit 1
    fi
    exit 0
fi

try='#include <sqlite3.h>
#include <gsl/gsl_rng.h>
#include <cjson/cJSON.h>
#include <csv.h>
#include <cblas.h>
#include <utf8proc.h>
#include <zlib.h>
int main(void) { return 0; }'
if echo "$try" | ${CC:-cc} -x c -fsyntax-only - 2>/dev/null && command -v gnuplot >/dev/null 2>&1; then
    exit 0
fi
cat >&2 <<T
Some packages are missing. Install them and run this again.
  Fedora:    sudo dnf install $(echo $FEDORA)
  Homebrew:  brew install $(echo $BREW)
  Debian:    sudo apt-get install $(echo $DEBIAN)
T
exit 1
