"""Tiny checkpoints as transformers writes them."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer
from transformers import BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel

SIZE = 16
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEXT = ["The old cat sat on a mat .", "They do n ' t drink , they eat . Birds sing at dawn ."]
WORDS = [word.lower() for sentence in TEXT for word in sentence.split()]
LETTERS = [*"abcdefghijklmnopqrstuvwxyz"]


def tiny_bert(folder: Path, n_layers: int = 2) -> Path:
    """Layers of four heads, with [CLS] and [SEP] around a sentence."""
    pieces = [*SPECIALS, *WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(SPECIALS)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=SIZE,
        num_hidden_layers=n_layers,
        num_attention_heads=4,
        intermediate_size=2 * SIZE,
        max_position_embeddings=64,
    )
    return saved(folder, tokenizer, lambda: BertForMaskedLM(config))


def tiny_gpt2(folder: Path) -> Path:
    """Two layers of two heads; pairs of bytes, a space before most tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(), n_embd=SIZE, n_layer=2, n_head=2, n_positions=64,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return saved(folder, tokenizer, lambda: GPT2LMHeadModel(config))


def saved(folder, tokenizer, made):
    with torch.random.fork_rng():
        torch.manual_seed(7)
        made().eval().save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
