"""Writes data/adamw.json: runs of PyTorch's optimisers, for test/train/adamw.golden.test.ts and schedule.test.ts.

    python test/golden/adamw.py

Needs torch and transformers. All numbers are float32 values; the runs use torch's single-tensor CPU path.

- "dense": torch.optim.AdamW over two groups (encoder: a matrix with decay and a bias without; head: a matrix with
  decay), clip_grad_norm_ at 5 and the linear schedule; the gradients of some steps are long enough to be clipped.
- "untouched": the same optimiser over a table whose gradient is zero in most rows.
- "lazy": torch.optim.SparseAdam over the same table and gradients, with decoupled decay of the touched rows.
- "schedule": the factors of get_linear_schedule_with_warmup.
"""

import json
import os

import torch
from transformers import get_linear_schedule_with_warmup

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
RATES = {"encoder": 3e-3, "head": 1e-2}
STEPS, WARMUP, DECAY, CLIP = 12, 3, 0.1, 5.0
TABLE, TOUCHED = (10, 8), [[1, 4, 9], [4], [0, 4, 5], [1, 9], [], [4, 5], [1], [0, 1, 2, 9], [4], [9], [3, 4], [1]]
SHAPES = {"matrix": (6, 8), "bias": (5,), "head": (3, 7)}


def numbers(tensor):
    return [float(x) for x in tensor.detach().flatten()]


def dense(generator):
    parameters = {name: torch.nn.Parameter(torch.randn(shape, generator=generator)) for name, shape in SHAPES.items()}
    initial = {name: numbers(p) for name, p in parameters.items()}
    optimiser = torch.optim.AdamW(
        [
            {"params": [parameters["matrix"]], "lr": RATES["encoder"], "weight_decay": DECAY},
            {"params": [parameters["bias"]], "lr": RATES["encoder"], "weight_decay": 0.0},
            {"params": [parameters["head"]], "lr": RATES["head"], "weight_decay": DECAY},
        ],
        foreach=False,
    )
    schedule = get_linear_schedule_with_warmup(optimiser, WARMUP, STEPS)
    steps = []
    for step in range(STEPS):
        size = 0.1 if step % 2 == 0 else 2.0
        for p in parameters.values():
            p.grad = size * torch.randn(p.shape, generator=generator)
        gradients = {name: numbers(p.grad) for name, p in parameters.items()}
        norm = float(torch.nn.utils.clip_grad_norm_(parameters.values(), CLIP))
        optimiser.step()
        schedule.step()
        steps.append({"gradients": gradients, "norm": norm, "values": {n: numbers(p) for n, p in parameters.items()}})
    moments = {
        name: {key: numbers(optimiser.state[p][key]) for key in ("exp_avg", "exp_avg_sq")}
        for name, p in parameters.items()
    }
    return {"shapes": SHAPES, "initial": initial, "steps": steps, "moments": moments}


def table(generator, lazy):
    value = torch.nn.Parameter(torch.randn(TABLE, generator=generator))
    initial = numbers(value)
    if lazy:
        optimiser = torch.optim.SparseAdam([value], lr=RATES["encoder"])
    else:
        optimiser = torch.optim.AdamW([value], lr=RATES["encoder"], weight_decay=DECAY, foreach=False)
    steps = []
    for rows in TOUCHED:
        gradients = torch.randn((len(rows), TABLE[1]), generator=generator)
        index = torch.tensor([rows], dtype=torch.long)
        sparse = torch.sparse_coo_tensor(index, gradients, TABLE)
        value.grad = sparse if lazy else sparse.to_dense()
        if lazy:
            value.data[rows] *= 1 - RATES["encoder"] * DECAY
        optimiser.step()
        steps.append({"rows": rows, "gradients": numbers(gradients), "values": numbers(value)})
    return {"shape": TABLE, "initial": initial, "steps": steps}


def schedule(total, warmup):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    rule = get_linear_schedule_with_warmup(optimiser, warmup, total)
    factors = []
    for _ in range(total):
        factors.append(rule.get_last_lr()[0])
        optimiser.step()
        rule.step()
    return {"totalSteps": total, "warmupSteps": warmup, "factors": factors}


def main():
    result = {
        "rates": RATES,
        "weightDecay": DECAY,
        "maxGradientNorm": CLIP,
        "warmupSteps": WARMUP,
        "dense": dense(torch.Generator().manual_seed(1)),
        "untouched": table(torch.Generator().manual_seed(2), lazy=False),
        "lazy": table(torch.Generator().manual_seed(2), lazy=True),
        "schedule": [schedule(23, 2), schedule(40, 4), schedule(5, 0)],
    }
    with open(os.path.join(FOLDER, "adamw.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")


main()
