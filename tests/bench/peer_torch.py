#!/usr/bin/python3
"""The peer of bench_model: PyTorch on the same shapes, in its best configuration.

Prints "name value" lines, tokens a second. Used by tests/bench/model.sh alone.
usage: peer_torch.py THREADS SECONDS"""

import sys
import time

import torch

LAYERS, DIM, HEADS, FFN, VOCAB = 6, 384, 12, 1536, 30522


def encoder():
    layer = torch.nn.TransformerEncoderLayer(
        DIM, HEADS, FFN, dropout=0.0, activation="gelu", batch_first=True
    )
    return torch.nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=True)


def rate(run, tokens, seconds):
    run()
    best = 0.0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        run()
        best = max(best, tokens / (time.perf_counter() - start))
    return best


def forward(seconds):
    embed, model = torch.nn.Embedding(VOCAB, DIM), encoder().eval()
    for batch, length in ((64, 32), (8, 128)):
        ids = torch.randint(0, VOCAB, (batch, length))
        with torch.inference_mode():
            yield f"encode_{length}", rate(lambda: model(embed(ids)), batch * length, seconds)
    # Reviews of mixed length, 32 at a time in the order they come, padded to the longest of the 32:
    # what a plain user of the usual pipeline gets. Lengths by the same generator as bench_model.
    lengths, state = [], 12345
    for _ in range(256):
        state = (state * 1103515245 + 12345) % 2**31
        u = (state >> 8) / 2**23
        lengths.append(int(8 + 120 * u**3 / (1 - 0.9 * u)) if u < 0.999 else 400)
    lengths = [min(n, 400) for n in lengths]
    with torch.inference_mode():

        def reviews():
            for i in range(0, len(lengths), 32):
                part = lengths[i : i + 32]
                ids = torch.zeros((len(part), max(part)), dtype=torch.long)
                pad = torch.arange(max(part))[None, :] >= torch.tensor(part)[:, None]
                model(embed(ids), src_key_padding_mask=pad)

        yield "encode_mixed", rate(reviews, sum(lengths), seconds)


def training(seconds):
    embed, model = torch.nn.Embedding(VOCAB, DIM), encoder().train()
    head = torch.nn.Linear(DIM, 3)
    parts = torch.nn.ModuleList((embed, model, head))
    optimizer = torch.optim.AdamW(parts.parameters(), lr=1e-4, foreach=True)
    for length in (32, 128):
        ids = torch.randint(0, VOCAB, (32, length))
        labels = torch.randint(0, 3, (32,))

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(head(model(embed(ids))[:, 0]), labels)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
            optimizer.step()

        yield f"train_{length}", rate(step, 32 * length, seconds)


def main():
    torch.manual_seed(1)
    torch.set_num_threads(int(sys.argv[1]))
    seconds = float(sys.argv[2])
    for part in (forward, training):
        for name, value in part(seconds):
            print(name, f"{value:.1f}", flush=True)


main()
