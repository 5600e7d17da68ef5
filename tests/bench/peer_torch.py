#!/usr/bin/python3
"""The peer of bench_model: PyTorch in f32 on the same shapes.

Reads lines "THREADS SECONDS encode TEXTS" or "THREADS SECONDS train LENGTH" and answers each with the
best number of tokens a second that it saw; "ready" comes first. Used by tests/bench/model.py alone."""

import ctypes
import os
import sys
import time
import warnings

import torch

LAYERS, DIM, HEADS, FFN, VOCAB = 6, 384, 12, 1536, 30522
MANY, TOGETHER = 128, 32  # reviews of mixed length; a plain user's batch
# Tokens of shop reviews at each twentieth, see bench_encode.c.
TWENTIETHS = (3, 13, 17, 19, 21, 23, 26, 29, 32, 35, 38, 41, 46, 52, 59, 68, 81, 101, 139, 196, 428)
WARM_STEPS = 1
# As bench_seconds of roof.h: on a machine that others use too, the time that this process had.
clock = time.process_time if os.environ.get("BENCH_CPU") else time.perf_counter


def encoder():
    layer = torch.nn.TransformerEncoderLayer(
        DIM, HEADS, FFN, dropout=0.0, activation="gelu", batch_first=True
    )
    return torch.nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=True)


EMBED, MODEL, HEAD = torch.nn.Embedding(VOCAB, DIM), encoder(), torch.nn.Linear(DIM, 3)
PARTS = torch.nn.ModuleList((EMBED, MODEL, HEAD))


def rate(run, tokens, seconds, warm=1):
    for _ in range(warm):
        run()
    best, end = 0.0, clock() + seconds
    while not best or clock() < end:
        start = clock()
        run()
        best = max(best, tokens / (clock() - start))
    return best


def equal_texts(length, batch):
    """One batch of equal lengths; of several sizes the best is reported."""
    ids = torch.randint(0, VOCAB, (batch, length))
    return lambda: MODEL(EMBED(ids)), batch * length


def mixed_texts():
    """Reviews of mixed length, 32 at a time in the order they come, padded to the longest of the
    32: what a plain user of the usual pipeline gets. Lengths by the same generator as bench_model."""
    lengths, state = [], 12345
    for _ in range(MANY):
        state = (state * 1103515245 + 12345) % 2**31
        u = 20 * (state >> 8) / 2**23
        below, above = TWENTIETHS[int(u)], TWENTIETHS[int(u) + 1]
        lengths.append(int(below + (above - below) * (u - int(u))))

    def batch(i):
        part = lengths[i : i + TOGETHER]
        ids = torch.zeros((len(part), max(part)), dtype=torch.long)
        pad = torch.arange(max(part))[None, :] >= torch.tensor(part)[:, None]
        MODEL(EMBED(ids), src_key_padding_mask=pad)

    def run():
        for i in range(0, MANY, TOGETHER):
            batch(i)

    batch(0)  # warms up: a whole run takes seconds
    return run, sum(lengths)


def encode(texts, seconds):
    PARTS.eval()
    with torch.inference_mode():
        if texts == "mixed":
            return rate(*mixed_texts(), seconds, 0)
        # Its best batch differs by length and machine, so two are tried.
        return max(rate(*equal_texts(int(texts), n), seconds / 2) for n in (8, 2048 // int(texts)))


def train(length, seconds):
    PARTS.train()
    optimizer = torch.optim.AdamW(PARTS.parameters(), lr=1e-4, foreach=True)
    ids, labels = torch.randint(0, VOCAB, (32, length)), torch.randint(0, 3, (32,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(HEAD(MODEL(EMBED(ids))[:, 0]), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(PARTS.parameters(), 1.0)
        optimizer.step()

    return rate(step, 32 * length, seconds, WARM_STEPS)


def use_threads(n):
    """PyTorch's own threads and those of the OpenBLAS it was linked with, which do not follow them."""
    torch.set_num_threads(n)
    with open("/proc/self/maps", encoding="utf-8") as maps:
        libraries = {line.split()[-1] for line in maps if "openblas" in line}
    for library in libraries:
        ctypes.CDLL(library).openblas_set_num_threads(n)


def main():
    warnings.filterwarnings("ignore")
    torch.manual_seed(1)
    print("ready", flush=True)
    for line in sys.stdin:
        threads, seconds, what, argument = line.split()
        use_threads(int(threads))
        if what == "encode":
            value = encode(argument, float(seconds))
        else:
            value = train(int(argument), float(seconds))
        print(value, flush=True)


main()
