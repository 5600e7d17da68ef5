#!/usr/bin/env bash
# The language core beside PyTorch on the same shapes, in turns, so that a slow minute of the machine
# hits both. Each line of the table is printed as soon as it is measured.
# usage: tests/bench/model.sh [--quick] [--cpu] [ROUNDS [SECONDS]]
set -eu
cd "$(dirname "$0")/../.."
# Both sides at their best: OpenBLAS and oneDNN choose their own kernels, malloc keeps large blocks.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
export MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592
make -s build/tests/bench/bench_model
exec python3 -u tests/bench/model.py "$@"
