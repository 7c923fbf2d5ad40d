"""Small checkpoints from PyTorch, transformers and safetensors, and the values that a reader must find in them.

Run (needs torch 2, transformers, safetensors):  python test/golden/weights.py
It writes test/golden/data/weights/. values.json holds, for each file of tensors, name -> [dtype, shape, values], where
infinities are the strings "inf" and "-inf".
"""
import collections
import json
import os
import pickle
import shutil
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForTokenClassification, BertModel

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "weights")
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "gene", "p", "##53", "of", "the", "tumor", "##s"]
CONFIG = BertConfig(
    vocab_size=len(VOCABULARY), hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
    max_position_embeddings=16,
)
DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}


def path(*names):
    return os.path.join(FOLDER, *names)


def values(state):
    def plain(tensor):
        flat = tensor.flatten()
        if not tensor.is_floating_point():
            return flat.long().tolist()
        return [v if abs(v) != float("inf") else str(v) for v in flat.double().tolist()]

    return {name: [DTYPES[t.dtype], list(t.shape), plain(t)] for name, t in state.items()}


def noisy(model, seed):
    """Values on which any mix-up of tensors shows, with few digits so that the files of values stay small."""
    generator = torch.Generator().manual_seed(seed)
    for p in model.parameters():
        p.data = torch.randint(-512, 512, p.shape, generator=generator) / 256
    return model.eval()


def folder(name):
    os.makedirs(path(name), exist_ok=True)
    with open(path(name, "vocab.txt"), "w") as f:
        f.write("\n".join(VOCABULARY) + "\n")
    with open(path(name, "tokenizer_config.json"), "w") as f:
        json.dump({"do_lower_case": False, "tokenizer_class": "BertTokenizer"}, f)
    CONFIG.save_pretrained(path(name))


class Runs:
    """What unpickling would run, if anybody did."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    found = {}

    # A bare encoder as transformers saves it now, whole and in shards.
    bert = noisy(BertModel(CONFIG), 1)
    folder("safetensors")
    bert.save_pretrained(path("safetensors"))
    found["safetensors/model.safetensors"] = values(bert.state_dict())
    folder("sharded")
    bert.save_pretrained(path("sharded"), max_shard_size="4KB")

    # A fine-tuned one as people saved it for years: `bert.` prefix, a head, position ids, a pickle.
    tagger = noisy(BertForTokenClassification(CONFIG), 2)
    state = tagger.state_dict()
    state["bert.embeddings.position_ids"] = torch.arange(16).expand((1, -1))
    folder("pytorch")
    torch.save(state, path("pytorch", "pytorch_model.bin"))
    found["pytorch/pytorch_model.bin"] = values(state)

    # The oldest: names from TensorFlow, the file format before torch 1.6.
    old = collections.OrderedDict(
        (name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"), t)
        for name, t in state.items()
    )
    folder("legacy")
    torch.save(old, path("legacy", "pytorch_model.bin"), _use_new_zipfile_serialization=False)

    # Every dtype; half precision with the values that are easy to get wrong.
    hard = torch.tensor([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, 6.1e-5, float("inf"), float("-inf")])
    kinds = {
        "f64": torch.tensor([[0.1, -1e300]], dtype=torch.float64), "f32": torch.tensor([0.1, 3e38, 1e-45]),
        "f16": hard.half(), "bf16": torch.cat([hard, torch.tensor([3e38, 1e-40])]).bfloat16(),
        "i64": torch.tensor([2**52, -1]), "i32": torch.tensor([[-5], [7]], dtype=torch.int32),
        "i16": torch.tensor([-300], dtype=torch.int16), "i8": torch.tensor([-128], dtype=torch.int8),
        "u8": torch.tensor([255], dtype=torch.uint8), "bool": torch.tensor([True, False]),
        "scalar": torch.tensor(4.5), "empty": torch.zeros(0, 3),
    }
    save_file(kinds, path("dtypes.safetensors"), metadata={"format": "pt", "note": "µ \"quoted\""})
    torch.save(kinds, path("dtypes.bin"))
    found["dtypes"] = values(kinds)

    # Windows onto shared storages.
    base = torch.arange(24, dtype=torch.float32)
    windows = {
        "whole": base, "tail": base[20:], "every_third": base[1::3], "transposed": base.view(4, 6).t(),
        "permuted": base.view(2, 3, 4).permute(2, 0, 1), "block": base.view(4, 6)[1:3, 2:5],
        "expanded": base[5:6].expand(3, 4), "empty": base[:0], "scalar": base[7],
        "parameter": torch.nn.Parameter(base.view(4, 6)),
    }
    for name, zip_form in [("shared.bin", True), ("shared_legacy.bin", False)]:
        torch.save(windows, path(name), _use_new_zipfile_serialization=zip_form)
    found["shared"] = values({name: t.detach() for name, t in windows.items()})

    # Files that must be refused, by the name of what they would run or of what they hold.
    for name, content in {
        "malicious_system": Runs(os.system, "touch /tmp/ebiobert-was-here"),
        "malicious_eval": {"weight": base, "x": Runs(eval, "1 + 1")},
        "object": CONFIG,
        "nested": {"state_dict": {"weight": base}, "epoch": 3},
        "number": {"weight": base, "epoch": 3},
        "list": [base],
    }.items():
        torch.save(content, path(f"{name}.bin"))
    with open(path("malicious_raw.bin"), "wb") as f:
        pickle.dump(Runs(os.system, "touch /tmp/ebiobert-was-here"), f, protocol=2)
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), path("torchscript.bin"))

    with open(path("values.json"), "w") as f:
        json.dump(found, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
