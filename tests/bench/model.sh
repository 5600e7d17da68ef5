#!/usr/bin/env bash
# The language core beside PyTorch on the same shapes, in turns, so that a slow minute of the machine
# hits both. Prints medians and ratios. The peer runs in its best configuration: OpenBLAS and oneDNN
# choose their own kernels, malloc keeps large blocks, and its two-thread figure is two processes of
# one thread where that is faster.
# usage: tests/bench/model.sh [ROUNDS [SECONDS]]
set -eu
cd "$(dirname "$0")/../.."
rounds=${1:-3} seconds=${2:-2}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
export MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592
make -s build/tests/bench/bench_model build/tests/bench/bench_decode
peer=
if /usr/bin/python3 -c 'import torch' 2>/dev/null; then peer=1; else echo "PyTorch is not installed (python3-torch): own figures only"; fi

peer_two() { # the sum of two one-thread processes side by side
    OMP_NUM_THREADS=1 /usr/bin/python3 tests/bench/peer_torch.py 1 "$seconds" 2>/dev/null >"$out/a" &
    OMP_NUM_THREADS=1 /usr/bin/python3 tests/bench/peer_torch.py 1 "$seconds" 2>/dev/null >"$out/b"
    wait
    paste -d' ' "$out/a" "$out/b" | awk '{print $1, $2 + $4}'
}
for ((i = 0; i < rounds; i++)); do
    OMP_NUM_THREADS=1 build/tests/bench/bench_model kernels 0.3 >>"$out/own1"
    for part in encode train; do
        OMP_NUM_THREADS=1 build/tests/bench/bench_model $part "$seconds" >>"$out/own1"
        OMP_NUM_THREADS=2 build/tests/bench/bench_model $part "$seconds" >>"$out/own2"
    done
    OMP_NUM_THREADS=1 build/tests/bench/bench_decode 3 >>"$out/own1"
    OMP_NUM_THREADS=2 build/tests/bench/bench_decode 3 >>"$out/own2"
    [ -n "$peer" ] || continue
    OMP_NUM_THREADS=1 /usr/bin/python3 tests/bench/peer_torch.py 1 "$seconds" 2>/dev/null >>"$out/peer1"
    peer_two >>"$out/peer2"
done

# median FILE NAME
median() { awk -v n="$2" '$1 == n {print $2}' "$1" 2>/dev/null | sort -g | awk '{v[NR] = $1} END {if (NR) print v[int((NR + 1) / 2)]; else print 0}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (b > 0) printf "%.2f", a / b; else printf "-"}'; }

echo "kernels, 1 thread, quantising included: GFLOP/s and share of the roof"
for kind in f32 bf16 int8; do
    roof=$(median "$out/own1" roof_$kind)
    printf '  %-5s roof %7.0f ' $kind "$roof"
    for rows in 1 8 128 1024; do
        rate=$(median "$out/own1" kernel_${kind}_$rows)
        printf '  M=%-4s %6.0f (%s)' $rows "$rate" "$(ratio "$rate" "$roof")"
    done
    echo
done
printf '\n%-14s %10s %10s %8s %10s %10s %8s %7s\n' 'tokens/s' own-1 torch-1 ratio own-2 torch-2 ratio scaling
row() { # NAME OWN-NAME PEER-NAME
    local o1 p1 o2 p2
    o1=$(median "$out/own1" "$2") p1=$(median "$out/peer1" "$3") o2=$(median "$out/own2" "$2") p2=$(median "$out/peer2" "$3")
    printf '%-14s %10.0f %10.0f %8s %10.0f %10.0f %8s %7s\n' "$1" "$o1" "$p1" "$(ratio "$o1" "$p1")" "$o2" "$p2" "$(ratio "$o2" "$p2")" "$(ratio "$o2" "$o1")"
}
for shape in 32 128 mixed; do
    for kind in f32 bf16 int8; do row "$shape $kind" encode_${shape}_$kind encode_$shape; done
done
row 'train 32' train_32 train_32
row 'train 128' train_128 train_128
echo 'torch: f32, MiniLM-L6 shape (6 layers, 384, 1536). mixed: 256 reviews of 8 to 400 tokens; torch pads each 32 in the order they come.'

printf '\n%-6s %9s %9s %8s %9s %9s %9s %8s %9s\n' decode 'tok/s-1' 'read GB/s' share 'x8 tok/s' 'tok/s-2' 'read GB/s' share 'x8 tok/s'
for kind in f32 bf16 int8; do
    printf '%-6s' $kind
    for own in own1 own2; do
        printf ' %9.0f %9.1f %8.2f %9.0f' "$(median "$out/$own" decode_1_$kind)" "$(median "$out/$own" read_$kind)" \
            "$(median "$out/$own" share_$kind)" "$(median "$out/$own" decode_8_$kind)"
    done
    echo
done
echo 'decode: SmolLM2-135M shape (30 layers, 576, 9/3 heads, 1536, 49152), random weights, one token a step; x8: 8 sequences from'
echo 'one prefill. share: bytes of weights read a second at batch 1, of what a streaming read of 512 MB reaches on as many threads.'
