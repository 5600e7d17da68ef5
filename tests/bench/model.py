#!/usr/bin/env python3
"""Asks bench_model and PyTorch in turns and prints a table of medians and ratios, line by line.

usage: tests/bench/model.sh [--quick] [--cpu] [ROUNDS [SECONDS]]
--quick: one thread, one round of a quarter of a second, no training on long texts: about a minute.
--cpu: processor time instead of wall time, for a machine that others use too; one thread only."""

import argparse
import os
import statistics
import subprocess
import sys
import time

KINDS = ("f32", "bf16", "int8")
OWN = ["build/tests/bench/bench_model"]
PEER = ["/usr/bin/python3", "tests/bench/peer_torch.py"]
# Multiply-adds of MiniLM-L6's products, a token: 6 layers of 4 d^2 + 2 d f, two operations each.
OPERATIONS = 2 * 6 * (4 * 384**2 + 2 * 384 * 1536)


class Program:
    """A program that answers one line of numbers to one line of request."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def send(self, *request):
        print(*request, file=self.process.stdin, flush=True)

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args[-1]} ended early")
        return [float(x) for x in line.split()]

    def ask(self, *request):
        self.send(*request)
        return self.receive()


class Bench:
    def __init__(self, rounds, seconds):
        self.rounds, self.seconds = rounds, seconds
        self.own = Program(OWN)
        torch = subprocess.run(PEER[:1] + ["-c", "import torch"], stderr=subprocess.DEVNULL)
        self.peers = [Program(PEER), Program(PEER)] if torch.returncode == 0 else []
        for p in self.peers:
            p.process.stdout.readline()  # it has started, and leaves the machine alone
        self.start = time.time()

    def note(self, text):
        """What is being measured, on stderr: overwritten by the next on a terminal."""
        if sys.stderr.isatty():
            print(f"\r\033[K{text} ...", end="", file=sys.stderr, flush=True)
        else:
            print(f"{time.time() - self.start:5.0f} s  {text}", file=sys.stderr, flush=True)

    def row(self, text):
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        print(text, flush=True)

    def peer(self, threads, *request):
        """One process of so many threads; and, of two, two processes of one thread each."""
        first, second = self.peers
        together = first.ask(threads, self.seconds, *request)[0]
        if threads == 1:
            return together, together
        for p in self.peers:
            p.send(1, self.seconds, *request)
        return together, first.receive()[0] + second.receive()[0]

    def turns(self, threads, owns, peer=()):
        """Medians of each of the own requests and of the peer's two ways, asked in turns."""
        self.note(f"{' '.join(map(str, peer or owns[0]))}, threads: {threads}")
        answers, peers = [[] for _ in owns], []
        for _ in range(self.rounds):
            for request, seen in zip(owns, answers):
                seen.append(self.own.ask(threads, self.seconds, *request))
            if peer and self.peers:
                peers.append(self.peer(threads, *peer))
        medians = [[statistics.median(x) for x in zip(*seen)] for seen in answers]
        return medians, [statistics.median(x) for x in zip(*peers)] or [0.0, 0.0]


def ratio(a, b):
    return f"{a / b:.2f}" if b else "-"


def kernels(b):
    b.row("products of M x 384 by 384 x 1536, quantising included, 1 thread: GFLOP/s (of the roof)")
    roofs = {}
    for kind in KINDS:
        sizes = (1, 8, 128, 1024)
        values, _ = b.turns(1, [("roof", kind)] + [("kernel", kind, m) for m in sizes])
        roof = roofs[kind] = values[0][0]
        cells = [f"M={m} {v[0] / 1e9:.0f} ({ratio(v[0], roof)})" for m, v in zip(sizes, values[1:])]
        b.row(f"  {kind:5} roof {roof / 1e9:.0f}   " + "   ".join(cells))
    return roofs


def encoder(b, threads, roofs):
    b.row(
        f"\nencoder, MiniLM-L6 shape, {threads} thread{'s' if threads > 1 else ''}: tokens/s, x PyTorch f32,"
        " reviews/s, share of the roof"
    )
    rates = {}
    for texts in ("32", "128", "mixed"):
        own, peers = b.turns(
            threads, [("encode", kind, texts) for kind in KINDS], ("encode", texts)
        )
        mean, peer = own[0][1], max(peers)
        b.row(f"  {texts:6} torch f32 {peer:8.0f}          {peer / mean:6.0f}")
        for kind, (rate, _) in zip(KINDS, own):
            share = ratio(rate * OPERATIONS, threads * roofs[kind])
            b.row(
                f"  {texts:6} own {kind:5} {rate:8.0f}   x{ratio(rate, peer):5} {rate / mean:6.0f}   {share}"
            )
            rates[texts, kind] = rate
    return rates


def training(b, threads, lengths):
    b.row(f"\nfine-tuning step, 32 texts, {threads} thread{'s' if threads > 1 else ''}: tokens/s")
    rates = {}
    for length in lengths:
        own, (peer, apart) = b.turns(threads, [("train", length)], ("train", length))
        rates[length] = own[0][0]
        two_models = f"   two processes, two models {apart:6.0f}" if threads > 1 else ""
        b.row(
            f"  {length:<6} own {own[0][0]:6.0f}   torch {peer:6.0f}   x{ratio(own[0][0], peer)}"
            + two_models
        )
    return rates


def decoding(b, threads):
    b.row(
        f"\ndecoding, SmolLM2-135M shape, {threads} thread{'s' if threads > 1 else ''}:"
        " tokens/s, GB/s of streaming reads, share"
    )
    rates = {}
    for kind in KINDS:
        ((one, many, read, share),), _ = b.turns(threads, [("decode", kind)])
        rates[kind] = one
        b.row(
            f"  {kind:5} one sequence {one:5.0f}   eight {many:5.0f}   read {read / 1e9:5.1f}   {share:.2f}"
        )
    return rates


def gains(b, title, one, two):
    cells = [f"{' '.join(k) if isinstance(k, tuple) else k} {ratio(two[k], one[k])}" for k in one]
    b.row(f"  two threads / one, {title}: " + ", ".join(cells))


NOTES = """
PyTorch runs in f32; int8 and bf16 rows compare different precisions. Equal lengths: the better of its
batches of 8 texts and of 2048 tokens. mixed: 128 reviews of 3 to 402 tokens, mean 59; PyTorch
pads each 32 in the order they come, as a plain user does, and only real tokens count. Its two-thread
figure is the better of one process of two threads and two processes of one; in training one process
alone, since two train two models. Share of the roof counts the products alone, against
multiply-adds in registers. Decoding: random weights, one token a step; eight: sequences from one
prefill; share: bytes of weights read a second for one sequence, of a streaming read of 512 MB."""


def main():
    p = argparse.ArgumentParser(description=__doc__, usage=argparse.SUPPRESS)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--cpu", action="store_true")
    p.add_argument("rounds", nargs="?", type=int)
    p.add_argument("seconds", nargs="?", type=float)
    a = p.parse_args()
    if a.cpu:
        os.environ["BENCH_CPU"] = "1"
    rounds, seconds = a.rounds or (1 if a.quick else 3), a.seconds or (0.25 if a.quick else 0.5)
    b = Bench(rounds, seconds)
    if not b.peers:
        print("PyTorch is not installed (python3-torch): own figures only")
    lengths = (32,) if a.quick else (32, 128)
    roofs = kernels(b)
    one = encoder(b, 1, roofs), training(b, 1, lengths), decoding(b, 1)
    if not a.quick and not a.cpu and (os.cpu_count() or 1) > 1:
        two = encoder(b, 2, roofs), training(b, 2, lengths), decoding(b, 2)
        b.row("")
        for title, x, y in zip(("encoder", "training", "decoding"), one, two):
            gains(b, title, x, y)
    b.row(NOTES)


main()
