"""A cased BERT with random weights, in the forms in which BioBERT v1.1 and its like are published.

    python scripts/biobert-checkpoints.py FOLDER            BERT-base: 12 layers, 768 wide, 28,996 pieces; 1.3 GB
    python scripts/biobert-checkpoints.py FOLDER --small    2 layers, 16 wide, for tests; 150 KB

Needs torch 2 and transformers. One BertForPreTraining is written three times, each with a cased vocab.txt:

    pytorch       config.json, pytorch_model.bin, vocab.txt, and nothing more: the files of
                  dmis-lab/biobert-base-cased-v1.1, whose config.json has no model_type either
    legacy        the same with pytorch_model.bin in the form before torch 1.6
    safetensors   what transformers saves today, tokenizer_config.json with do_lower_case false included

expected.json has a sentence, its pieces by transformers' tokenizer, and the mean of the last four hidden layers (the two
last of the small one) by transformers' BertModel, which a reader of the files must find too.

With --text FILES, columns whose first is a word, the vocabulary has the commonest words and beginnings of these files, so
that words fall into about as many pieces as BioBERT's vocabulary gives them.
"""
import argparse
import collections
import json
import os
import string

import torch
from transformers import BertConfig, BertForPreTraining, BertTokenizer

SENTENCE = "BRCA1 and p53 , but not Brca1 , are lost in Breast Cancer ( 5 % ) ."
SPECIAL = ["[PAD]"] + [f"[unused{k}]" for k in range(1, 100)] + ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [c for c in string.printable if c.isprintable() and not c.isspace()]
# How many whole words and parts of words are taken from --text: with these a word of the corpora has about 1.45 pieces;
# the vocabulary of uncased BERT gives it 1.3, and a cased one has fewer words.
WORDS, PARTS = 1500, 3000


def vocabulary(size, files):
    """Every letter, alone and within a word; common words and parts of the files; unused pieces up to the size."""
    counts = collections.Counter()
    for file in files:
        with open(file, encoding="utf-8") as lines:
            counts.update(line.split("\t")[0] for line in lines if line.strip())
    words = [word for word, _ in counts.most_common(WORDS)]
    parts = collections.Counter()
    for word, count in counts.items():
        for length in (2, 3, 4):
            for start in range(0, len(word) - length + 1):
                parts[("##" if start > 0 else "") + word[start : start + length]] += count
    pieces = SPECIAL + LETTERS + [f"##{c}" for c in LETTERS] + words + [part for part, _ in parts.most_common(PARTS)]
    pieces = list(dict.fromkeys(pieces))
    assert len(pieces) <= size, f"expected at most {size} pieces, found {len(pieces)}"
    return pieces + [f"[filler{k}]" for k in range(size - len(pieces))]


def write(folder, name, pieces, config):
    path = os.path.join(folder, name)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "vocab.txt"), "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(pieces) + "\n")
    # BioBERT's config.json: these settings, no model_type, no layer_norm_eps.
    keys = (
        "attention_probs_dropout_prob hidden_act hidden_dropout_prob hidden_size initializer_range intermediate_size "
        "max_position_embeddings num_attention_heads num_hidden_layers type_vocab_size vocab_size"
    ).split()
    with open(os.path.join(path, "config.json"), "w", encoding="utf-8") as file:
        json.dump({key: getattr(config, key) for key in keys}, file, indent=2)
        file.write("\n")
    return path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--text", nargs="*", default=[])
    options = parser.parse_args()

    base = BertConfig(vocab_size=28996)
    small = BertConfig(
        vocab_size=320, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
        max_position_embeddings=96,
    )
    config = small if options.small else base
    pieces = vocabulary(config.vocab_size, options.text)
    torch.manual_seed(0)
    model = BertForPreTraining(config).eval()
    # Weights and biases on which a mix-up of tensors shows: biases are 0 and scales 1 as transformers starts them.
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.02 * torch.randn(parameter.shape))

    state = model.state_dict()
    pytorch = write(options.folder, "pytorch", pieces, config)
    torch.save(state, os.path.join(pytorch, "pytorch_model.bin"))
    legacy = write(options.folder, "legacy", pieces, config)
    torch.save(state, os.path.join(legacy, "pytorch_model.bin"), _use_new_zipfile_serialization=False)
    modern = write(options.folder, "safetensors", pieces, config)
    with open(os.path.join(modern, "tokenizer_config.json"), "w", encoding="utf-8") as file:
        json.dump({"do_lower_case": False, "tokenizer_class": "BertTokenizer"}, file)
        file.write("\n")
    model.save_pretrained(modern)
    generation = os.path.join(modern, "generation_config.json")
    if os.path.exists(generation):
        os.remove(generation)

    tokenizer = BertTokenizer(os.path.join(pytorch, "vocab.txt"), do_lower_case=False)
    words = SENTENCE.split()
    encoded = tokenizer(words, is_split_into_words=True, return_tensors="pt")
    last = min(4, config.num_hidden_layers)
    with torch.no_grad():
        hidden = model.bert(**encoded, output_hidden_states=True).hidden_states
    expected = {
        "words": words,
        "pieces": tokenizer.convert_ids_to_tokens(encoded["input_ids"][0]),
        "ids": encoded["input_ids"][0].tolist(),
        "hidden": [[float(f"{x:.7g}") for x in row] for row in torch.stack(hidden[-last:]).mean(0)[0].tolist()],
    }
    with open(os.path.join(options.folder, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(expected, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
