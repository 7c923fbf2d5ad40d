"""E-BioBERT, its BIO baseline and PAMDFGA in PyTorch: the oracle behind the golden values of model.py.

Written for clarity, in evaluation mode (no dropout). BERT itself is transformers' BertModel with eager attention;
the prefix enters as keys and values that precede the sentence's own, in the place of a key-value cache.
Shapes: B sentences, L word pieces, N words, P prefix positions, H encoder width, D = hidden, C channels.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from transformers import BertConfig, BertModel, DynamicCache

DISTANCES, REGIONS, CLN_EPS = 20, 2, 1e-12


def distance_bucket(s):
    """Index of the distance embedding for the signed offset s = column - row."""
    if s == 0:
        return 19
    bucket = min(9, abs(s).bit_length())
    return bucket if s > 0 else bucket + 9


def bert(c):
    return BertModel(
        BertConfig(
            vocab_size=c["vocabulary"], hidden_size=c["width"], num_hidden_layers=c["layers"],
            num_attention_heads=c["heads"], intermediate_size=c["intermediate"],
            max_position_embeddings=c["maxPositions"], type_vocab_size=2, hidden_act="gelu", layer_norm_eps=1e-12,
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, attn_implementation="eager",
        ),
        add_pooling_layer=False,
    )


def pool_words(pieces, ranges):
    """Maximum over each word's pieces: [B, L, H] and inclusive [B, N, 2] (-1 where no word) to [B, N, H], 0 there."""
    rows = []
    for row, spans in zip(pieces, ranges.tolist()):
        zero = torch.zeros_like(row[0])
        rows.append(torch.stack([row[a:b + 1].amax(0) if a >= 0 else zero for a, b in spans]))
    return torch.stack(rows)


def bilstm(lstm, x, lengths):
    """nn.LSTM over packed sequences: [B, N, in] to [B, N, 2 * hidden], 0 past each sentence's end."""
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    return nn.utils.rnn.pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=x.shape[1])[0]


class Prefix(nn.Module):
    def __init__(self, positions, width):
        super().__init__()
        self.key = nn.Parameter(torch.empty(positions, width))
        self.value = nn.Parameter(torch.empty(positions, width))


class Encoder(nn.Module):
    """BERT whose every layer attends to [prefix; sentence]."""

    def __init__(self, c):
        super().__init__()
        self.c, self.bert = c, bert(c)
        if c["prefix"] > 0:
            self.prefix = nn.ModuleDict(
                {"layer": nn.ModuleList(Prefix(c["prefix"], c["width"]) for _ in range(c["layers"]))}
            )

    def prefix_heads(self, layer, batch):
        """The prefix keys and values of one layer, [B, heads, P, H / heads] each."""
        p, heads = self.prefix["layer"][layer], self.c["heads"]
        return [t.unflatten(-1, (heads, -1)).transpose(0, 1).expand(batch, -1, -1, -1) for t in (p.key, p.value)]

    def encode(self, ids, mask):
        """Hidden states, layers + 1 of [B, L, H], and attention maps, layers of [B, heads, L, P + L]."""
        batch, length = ids.shape
        options = dict(output_hidden_states=True, output_attentions=True)
        if self.c["prefix"] == 0:
            out = self.bert(ids, attention_mask=mask, **options)
            return out.hidden_states, out.attentions
        cache = DynamicCache()
        for i in range(self.c["layers"]):
            cache.update(*self.prefix_heads(i, batch), i)
        visible = F.pad(mask, (self.c["prefix"], 0), value=1)[:, None, None, :].expand(-1, 1, length, -1)
        kind = self.bert.dtype
        bias = (1 - visible.to(kind)) * torch.finfo(kind).min
        positions = torch.arange(length).expand(batch, -1)
        out = self.bert(ids, attention_mask=bias, position_ids=positions, past_key_values=cache, **options)
        return out.hidden_states, out.attentions

    def encode_by_hand(self, ids, mask):
        """The same as `encode`, written out from the parameters alone: each checks the other."""
        c, w = self.c, dict(self.bert.named_parameters())

        def linear(name, x):
            return F.linear(x, w[name + ".weight"], w[name + ".bias"])

        def norm(name, x):
            return F.layer_norm(x, x.shape[-1:], w[name + ".weight"], w[name + ".bias"], 1e-12)

        def split(x):
            return x.unflatten(-1, (c["heads"], -1)).transpose(1, 2)

        e = "embeddings."
        x = w[e + "word_embeddings.weight"][ids] + w[e + "position_embeddings.weight"][: ids.shape[1]]
        x = norm(e + "LayerNorm", x + w[e + "token_type_embeddings.weight"][0])
        hidden, maps = [x], []
        for i in range(c["layers"]):
            at = f"encoder.layer.{i}."
            q, k, v = (split(linear(f"{at}attention.self.{n}", x)) for n in ("query", "key", "value"))
            if c["prefix"] > 0:
                k, v = (torch.cat([p, t], 2) for p, t in zip(self.prefix_heads(i, len(ids)), (k, v)))
            scores = q @ k.transpose(-1, -2) / (c["width"] // c["heads"]) ** 0.5
            scores[..., c["prefix"]:].masked_fill_(mask[:, None, None, :] == 0, -torch.inf)
            attention = scores.softmax(-1)
            context = (attention @ v).transpose(1, 2).flatten(2)
            x = norm(at + "attention.output.LayerNorm", linear(at + "attention.output.dense", context) + x)
            inner = F.gelu(linear(at + "intermediate.dense", x))
            x = norm(at + "output.LayerNorm", linear(at + "output.dense", inner) + x)
            hidden.append(x)
            maps.append(attention)
        return hidden, maps


class EBioBERT(Encoder):
    def __init__(self, c):
        super().__init__(c)
        d, e, channels = c["hidden"], c["embedding"], c["channels"]
        self.lstm = nn.LSTM(c["width"], d // 2, batch_first=True, bidirectional=True)
        self.cln = nn.ModuleDict({"gamma": nn.Linear(d, d), "lambda": nn.Linear(d, d)})
        self.distance, self.region = nn.Embedding(DISTANCES, e), nn.Embedding(REGIONS, e)
        dilation = c["dilation"]
        self.convolution = nn.ModuleDict({
            "pointwise": nn.Linear(d + 2 * e, channels),
            "depthwise": nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, groups=channels),
        })
        self.mlp, self.classifier = nn.Linear(channels, c["mlp"]), nn.Linear(c["mlp"], c["classes"])

    def forward(self, ids, mask, ranges, lengths):
        """Every intermediate value by name, and the attention maps; rows and columns past the sentence's end are 0."""
        c, count = self.c, ranges.shape[1]
        hidden, maps = self.encode(ids, mask)
        real = torch.arange(count) < lengths[:, None]
        cells = (real[:, :, None] & real[:, None, :])[..., None]
        words = pool_words(torch.stack(hidden[-min(4, c["layers"]):]).mean(0), ranges)
        h = bilstm(self.lstm, words, lengths)
        centred = h - h.mean(-1, keepdim=True)
        normalised = centred / (h.var(-1, unbiased=False, keepdim=True) + CLN_EPS).sqrt()
        gamma, shift = self.cln["gamma"](h), self.cln["lambda"](h)
        cln = gamma[:, :, None] * normalised[:, None] + shift[:, :, None]
        distance = torch.tensor([[distance_bucket(j - i) for j in range(count)] for i in range(count)])
        region = torch.tensor([[0 if j > i else 1 for j in range(count)] for i in range(count)])
        tables = [t.expand(len(ids), -1, -1, -1) for t in (self.distance(distance), self.region(region))]
        pointwise = F.gelu(self.convolution["pointwise"](torch.cat([cln, *tables], -1))) * cells
        depthwise = F.gelu(self.convolution["depthwise"](pointwise.permute(0, 3, 1, 2))).permute(0, 2, 3, 1)
        logits = self.classifier(F.gelu(self.mlp(depthwise)))
        values = {
            **encoder_values(hidden, maps, mask), "words": words, "lstm": h, "normalised": normalised,
            "cln": cln * cells, "distance": distance, "region": region, "pointwise": pointwise,
            "depthwise": depthwise * cells, "logits": logits * cells,
        }
        return values, maps

    def losses(self, inputs):
        """All values of `forward` with loss_ner, loss_p, loss_o (0 where alpha is 0) and loss_total."""
        c, lengths, labels = self.c, inputs["lengths"], inputs["labels"]
        values, maps = self(inputs["input_ids"], inputs["attention_mask"], inputs["piece_ranges"], lengths)
        pairs = [(values["logits"][b, :n, :n].flatten(0, 1), labels[b, :n, :n].flatten()) for b, n in enumerate(lengths)]
        ner = F.cross_entropy(*(torch.cat(t) for t in zip(*pairs)))
        p = o = torch.zeros((), dtype=ner.dtype)
        if c["alpha"] > 0:
            p, o = pamdfga([maps[i] for i in c["guidedLayers"]], inputs["attention_mask"], c["prefix"], c["temperature"])
        return {**values, "loss_ner": ner, "loss_p": p, "loss_o": o, "loss_total": ner + c["alpha"] * (p + o) / 2}


class BioTagger(Encoder):
    """The sequence-labelling baseline: the last hidden layer, pooled to words, and one linear layer."""

    def __init__(self, c):
        super().__init__(c)
        self.classifier = nn.Linear(c["width"], c["classes"])

    def losses(self, inputs):
        hidden, maps = self.encode(inputs["input_ids"], inputs["attention_mask"])
        real = torch.arange(inputs["labels"].shape[1]) < inputs["lengths"][:, None]
        words = pool_words(hidden[-1], inputs["piece_ranges"])
        logits = self.classifier(words)
        loss = F.cross_entropy(logits[real], inputs["labels"][real])
        values = encoder_values(hidden, maps, inputs["attention_mask"])
        return {**values, "words": words, "logits": logits * real[..., None], "loss_total": loss}


def pamdfga(maps, mask, prefix, temperature):
    """Loss_p and Loss_o of [B, heads, L, P + L] maps: each map's column sums must pick themselves out of all maps'."""
    received = torch.cat([(m * mask[:, None, :, None]).sum(2) for m in maps], 1)

    def discriminate(v):
        unit = v / v.norm(dim=-1, keepdim=True)
        logits = unit @ unit.transpose(1, 2) / temperature
        return -logits.log_softmax(-1).diagonal(dim1=1, dim2=2).mean()

    return discriminate(received), discriminate(received[..., prefix:])


def encoder_values(hidden, maps, mask):
    """Hidden states and attention maps by name; rows of padding pieces are 0."""
    states = {f"hidden.{i}": h * mask[..., None] for i, h in enumerate(hidden)}
    return {**states, **{f"attention.{i}": m * mask[:, None, :, None] for i, m in enumerate(maps)}}
