"""Golden values of the model from PyTorch 2 and transformers, computed in float64 and stored in float32.

Run (needs torch 2, transformers 5, safetensors):  python test/golden/model.py
It writes test/golden/data/model/NAME.safetensors and NAME.json for each case, and fails unless the reference agrees
with a hand-written encoder and its gradients with central differences.

Tensors are named parameters.X, inputs.X, outputs.X and gradients.X (of outputs.loss_total). Everything that belongs
to padding is 0: rows and columns of outputs past a sentence's end, query rows of padding pieces in attention maps.
"""
import json
import os
import torch
import torch.nn as nn
import transformers
from safetensors.torch import save_file
from model_reference import BioTagger, EBioBERT, bilstm, distance_bucket

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "model")
SHAPE = {
    "vocabulary": 60, "width": 16, "layers": 5, "heads": 4, "intermediate": 32, "maxPositions": 40, "prefix": 3,
    "hidden": 12, "embedding": 4, "channels": 8, "mlp": 10, "classes": 4, "dilation": 1,
    "alpha": 0.1, "temperature": 2.0, "guidedLayers": [1, 2, 3, 4],
}
BIO_SHAPE = {k: SHAPE[k] for k in ("vocabulary", "width", "layers", "heads", "intermediate", "maxPositions")}
SCALES = {"bias": 0.2, "embeddings": 0.5, "prefix": 0.5, "convolution": 0.5, "mlp": 0.5, "classifier": 0.5}
PIECES_PER_WORD = [[1, 2, 1, 1, 1, 1], [1, 3, 1, 1], [2]]


def initialise(module, generator):
    """Scales at which attention is uneven and no gradient is tiny; values that float32 holds exactly."""
    for name, p in module.named_parameters():
        noise = torch.randn(p.shape, generator=generator, dtype=torch.float64)
        if "LayerNorm.weight" in name:
            value = 1 + 0.2 * noise
        else:
            value = noise * next((scale for part, scale in SCALES.items() if part in name), 0.35)
        p.data = value.float().double()
    return module.double().eval()


def sentences(c, generator):
    """Three sentences of 6, 4 and 1 words, padded to 9 pieces and 6 words."""
    batch, length = len(PIECES_PER_WORD), max(map(sum, PIECES_PER_WORD)) + 2
    count = max(map(len, PIECES_PER_WORD))
    ids, mask = torch.zeros(batch, length, dtype=torch.long), torch.zeros(batch, length, dtype=torch.long)
    owner, ranges = torch.full((batch, length), -1), torch.full((batch, count, 2), -1)
    for b, words in enumerate(PIECES_PER_WORD):
        at = 1
        for j, pieces in enumerate(words):
            owner[b, at:at + pieces], ranges[b, j] = j, torch.tensor([at, at + pieces - 1])
            at += pieces
        ids[b, :at + 1] = torch.randint(3, c["vocabulary"], (at + 1,), generator=generator)
        ids[b, 0], ids[b, at], mask[b, :at + 1] = 1, 2, 1
    return {
        "input_ids": ids, "attention_mask": mask, "word_of_piece": owner, "piece_ranges": ranges,
        "lengths": torch.tensor([len(words) for words in PIECES_PER_WORD]),
    }


def check_encoder(model, inputs):
    """transformers' BertModel and the hand-written encoder agree on every real position."""
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    with torch.no_grad():
        for ours, theirs in zip(model.encode_by_hand(ids, mask), model.encode(ids, mask)):
            assert len(ours) == len(theirs)
            for a, b in zip(ours, theirs):
                rows = mask.bool() if a.dim() == 3 else mask.bool()[:, None].expand(a.shape[:3])
                torch.testing.assert_close(a[rows], b[rows], rtol=1e-11, atol=1e-12)


def check_gradients(loss, tensors, generator, step=1e-6):
    """Directional derivatives of every tensor against central differences, one tensor at a time."""
    for name, t in tensors.items():
        along = torch.randn(t.shape, generator=generator, dtype=torch.float64)
        start, sides = t.data.clone(), []
        for sign in (1, -1):
            t.data = start + sign * step * along
            with torch.no_grad():
                sides.append(loss().item())
        t.data = start
        expected, found = (sides[0] - sides[1]) / (2 * step), (t.grad * along).sum().item()
        assert abs(expected - found) < 1e-7 + 1e-5 * abs(expected), f"{name}: expected {expected}, found {found}"


def write(name, config, **groups):
    tensors = {}
    for group, members in groups.items():
        for key, t in members.items():
            kind = torch.float32 if t.is_floating_point() else torch.int32
            tensors[f"{group}.{key}"] = t.detach().to(kind).contiguous().clone()
            assert torch.isfinite(tensors[f"{group}.{key}"]).all(), key
    save_file(tensors, os.path.join(FOLDER, name + ".safetensors"))
    made = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
    with open(os.path.join(FOLDER, name + ".json"), "w", encoding="utf8") as f:
        json.dump({"config": config, "madeWith": made}, f, indent=2)
        f.write("\n")
    size = os.path.getsize(os.path.join(FOLDER, name + ".safetensors"))
    print(f"{name}: {len(tensors)} tensors, {size / 1e3:.0f} kB")


def model_case(name, kind, config, seed, label_shape):
    """All parameters, inputs, intermediate values and gradients of one model on the three sentences."""
    generator = torch.Generator().manual_seed(seed)
    model = initialise(kind(config), generator)
    inputs = sentences(config, generator)
    batch, count = inputs["piece_ranges"].shape[:2]
    real = torch.arange(count) < inputs["lengths"][:, None]
    labels = torch.randint(0, config["classes"], (batch,) + (count,) * label_shape, generator=generator)
    inputs["labels"] = labels * (real if label_shape == 1 else real[:, :, None] & real[:, None, :])
    check_encoder(model, inputs)
    outputs = model.losses(inputs)
    outputs["loss_total"].backward()
    parameters = dict(model.named_parameters())
    gradients = {k: p.grad for k, p in parameters.items()}
    check_gradients(lambda: model.losses(inputs)["loss_total"], parameters, generator)
    write(name, config, parameters=parameters, inputs=inputs, outputs=outputs, gradients=gradients)


def lstm_case(name, seed):
    """A BiLSTM alone on padded input that is not zero at the padding; loss_total = sum(output * weighting)."""
    generator = torch.Generator().manual_seed(seed)
    config = {"input": 5, "hidden": 8}
    lstm = initialise(nn.LSTM(5, 4, batch_first=True, bidirectional=True), generator)
    x, weighting = (torch.randn(4, 7, d, generator=generator).double() for d in (5, 8))
    lengths = torch.tensor([4, 7, 1, 6])
    x.requires_grad_()
    parameters = {"lstm." + k: p for k, p in lstm.named_parameters()}
    output = bilstm(lstm, x, lengths)
    loss = (output * weighting).sum()
    loss.backward()
    check_gradients(lambda: (bilstm(lstm, x, lengths) * weighting).sum(), {**parameters, "x": x}, generator)
    write(
        name, config, parameters=parameters, inputs={"x": x, "lengths": lengths, "weighting": weighting},
        outputs={"lstm": output, "loss_total": loss},
        gradients={"x": x.grad, **{k: p.grad for k, p in parameters.items()}},
    )


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    torch.set_num_threads(1)
    model_case("prefix", EBioBERT, SHAPE, 5, 2)
    model_case("plain", EBioBERT, {**SHAPE, "prefix": 0, "alpha": 0, "guidedLayers": [], "dilation": 2}, 12, 2)
    model_case("layers", EBioBERT, {**SHAPE, "alpha": 1.0, "guidedLayers": [2]}, 3, 2)
    model_case("bio", BioTagger, {**BIO_SHAPE, "prefix": 0, "classes": 5}, 4, 1)
    lstm_case("lstm", 6)
    offsets = torch.arange(-600, 601)
    buckets = torch.tensor([distance_bucket(s) for s in offsets.tolist()])
    write("distance", {}, inputs={"offset": offsets}, outputs={"distance": buckets})
