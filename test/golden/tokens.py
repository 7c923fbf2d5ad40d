"""Writes tokens.json: word pieces by Hugging Face tokenizers, for test/text/wordpiece.golden.test.ts.

    python test/golden/tokens.py SHARED

SHARED is the folder with corpora/ and encoders/ (beside the repository). Needs the package `tokenizers`.

2,000 sentences, every fourth of the devel files in the order of CORPORA, are encoded as words
(is_pretokenized=True, no special tokens) by an uncased and a cased tokenizer over the same vocabulary. The file holds
the first 8 hexadecimal digits of the SHA-256 of the ids joined by spaces for each sentence, the ids themselves for the
first 50, and the ids of each of HARD_WORDS.
"""

import hashlib
import json
import pathlib
import sys

import tokenizers
from tokenizers import BertWordPieceTokenizer, Tokenizer

CORPORA = ['ncbi-disease', 'bc5cdr', 'bc2gm']
ENCODER = 'all-minilm-l6-v2'
STRIDE, SENTENCES, IN_FULL = 4, 2000, 50

HARD_WORDS = [
    'TNFα', 'β2', 'NF-κB', 'naïve', 'Ménière', 'Sjögren', 'e\u0301tude', 'µg', 'ﬁbrosis', 'İstanbul', 'straße', 'STRASSE',
    'Å', 'x²', 'H₂O', '10⁻³', '½', '药', '药物治疗', 'ヘモグロビン', 'ಠ', '한국어', 'हिन्दी', 'ไทย', 'العربية', '\u0301', '±', '≥', '→', '™',
    '°', '•', '–', '—', '‘', '“', '…', '€', '^', '`', '$', '|', '_', 'a_b', 'IL-2', '5-HT3', '(+)-cibenzoline', 'i.v.',
    '😀', '👩‍🔬', '👍🏽', '🇩🇪', '𝛼', '𝐀𝐁', 'a' * 100, 'a' * 101, 'acetaminophenacetaminophen', 'ΟΔΟΣ', 'ΣΑΣ', 'Ω', 'ϑ', 'ſ', 'ǅ',
    'co\u00adoperate', 'zero\u200bwidth', 'join\u200der', 'a\u0000b', 'tab\tbed', 'no\u00a0break', '\ufeffbom', '𠀀', '㐀',
]


def sentences(path):
    for block in path.read_text(encoding='utf-8').split('\n\n'):
        words = [line.split('\t')[0] for line in block.split('\n') if line]
        if words:
            yield words


def digest(ids):
    return hashlib.sha256(' '.join(map(str, ids)).encode()).hexdigest()[:8]


def main(shared):
    every = [words for corpus in CORPORA for words in sentences(shared / 'corpora' / corpus / 'devel.tsv')]
    chosen = every[::STRIDE][:SENTENCES]
    encoder = shared / 'encoders' / ENCODER
    uncased = Tokenizer.from_file(str(encoder / 'tokenizer.json'))
    uncased.no_padding()
    uncased.no_truncation()
    cased = BertWordPieceTokenizer(str(encoder / 'vocab.txt'), lowercase=False)
    golden = {'tokenizers': tokenizers.__version__, 'stride': STRIDE, 'hardWords': HARD_WORDS}
    for name, tokenizer in ('uncased', uncased), ('cased', cased):
        encode = lambda words: tokenizer.encode(words, is_pretokenized=True, add_special_tokens=False).ids
        ids = [encode(words) for words in chosen]
        golden[name] = {
            'hashes': ''.join(map(digest, ids)),
            'first': ids[:IN_FULL],
            'hard': [encode([word]) for word in HARD_WORDS],
        }
    target = pathlib.Path(__file__).with_suffix('.json')
    text = json.dumps(golden, ensure_ascii=True, separators=(',', ':'))
    target.write_text(text.replace('],[', '],\n['), encoding='utf-8')
    print(f'{target}: {len(chosen)} sentences')


main(pathlib.Path(sys.argv[1]))
