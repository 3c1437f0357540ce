"""Checkpoints with a few thousand random weights, written by transformers.

    folder = save_checkpoint("llama", tmp_path / "llama")

"llama" is one of `KINDS`. The folder has the files of `save_pretrained`, and a tokenizer of the
type that the architecture usually has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers.utils import logging

SENTENCES = (
    "The cat sat down because it was tired.",
    "The dog that chased the cat didn't sit down.",
    "She opened the door and went into the old room.",
    "It cost $3.50, which was too much for him!",
    "What the teacher said to the students was never written down.",
    "They asked the doctor why the children were not sleeping.",
)
EXTRA_EMBEDDING_ROWS = 3
"""Rows of the embedding without a token; many checkpoints have some."""


@cache
def wordpiece_tokenizer() -> str:
    """Return a tokenizer as in BERT and DistilBERT."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=160, special_tokens=specials, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.enable_padding(length=20)  # as in sentence encoders; Headwise must switch it off
    tokenizer.enable_truncation(16)
    return tokenizer.to_str()


def _train_byte_level_bpe(specials: list[str], vocabulary: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=specials,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


@cache
def byte_level_bpe_tokenizer() -> str:
    """Return a tokenizer as in GPT-2 and Qwen2, which adds no special tokens."""
    tokenizer = _train_byte_level_bpe(["<|endoftext|>"], 330)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer.to_str()


@cache
def roberta_tokenizer() -> str:
    """Return a tokenizer as in RoBERTa."""
    tokenizer = _train_byte_level_bpe(["<s>", "<pad>", "</s>", "<unk>"], 320)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False
    )
    return tokenizer.to_str()


@cache
def llama_tokenizer() -> str:
    """Return a tokenizer as in Llama, with "▁" for spaces and before the first word.

    Characters without a token become bytes.
    """
    specials = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(  # only for training
        [
            pre_tokenizers.Metaspace(prepend_scheme="never"),
            pre_tokenizers.Split(Regex(r"[^\w▁]"), "isolated"),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer = _without_bytes_as_specials(tokenizer)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    return tokenizer.to_str()


def _without_bytes_as_specials(tokenizer: Tokenizer) -> Tokenizer:
    """Return the tokenizer with bytes in the vocabulary, but not as special tokens."""
    copy = Tokenizer(tokenizer.model)
    copy.normalizer = tokenizer.normalizer
    copy.add_special_tokens(["<unk>", "<s>", "</s>"])
    return copy


@dataclass(frozen=True)
class Kind:
    """A class of transformers, the configuration of a tiny model, and its type of tokenizer."""

    model_class: str
    config_class: str
    config_values: dict[str, Any]
    tokenizer: Callable[[], str]
    init_std: float = 0.1  # of all weights, with mean 1 for the gains of norms and 0 otherwise
    predicts: str = "nothing"


BERT = {
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_hidden_layers": 3,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
}
ROBERTA = BERT | {"hidden_size": 30, "num_attention_heads": 5, "max_position_embeddings": 150}
ROBERTA |= {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1}
DISTILBERT = {"dim": 24, "n_heads": 3, "n_layers": 2, "hidden_dim": 40}
DISTILBERT |= {"max_position_embeddings": 64}
GPT2 = {"n_embd": 32, "n_head": 2, "n_layer": 3, "n_positions": 200}
GPT2 |= {"bos_token_id": 0, "eos_token_id": 0}
LLAMA = {
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 3,
    "intermediate_size": 44,
    "max_position_embeddings": 256,
    "tie_word_embeddings": False,
}
QWEN2 = LLAMA | {"num_key_value_heads": 1, "tie_word_embeddings": True}

KINDS = {
    "bert": Kind("BertForMaskedLM", "BertConfig", BERT, wordpiece_tokenizer, predicts="hidden"),
    "bert-relu": Kind(
        "BertForMaskedLM",
        "BertConfig",
        BERT | {"hidden_act": "relu", "layer_norm_eps": 1e-5, "num_attention_heads": 2},
        wordpiece_tokenizer,
        0.2,
        predicts="hidden",
    ),
    "bert-untied": Kind(
        "BertForMaskedLM",
        "BertConfig",
        BERT | {"tie_word_embeddings": False, "hidden_act": "gelu_new"},
        wordpiece_tokenizer,
        predicts="hidden",
    ),
    "bert-base": Kind("BertModel", "BertConfig", BERT, wordpiece_tokenizer),
    "roberta": Kind(
        "RobertaForMaskedLM", "RobertaConfig", ROBERTA, roberta_tokenizer, predicts="hidden"
    ),
    "roberta-relu": Kind(
        "RobertaForMaskedLM",
        "RobertaConfig",
        ROBERTA | {"hidden_act": "relu", "max_position_embeddings": 30},
        roberta_tokenizer,
        predicts="hidden",
    ),
    "roberta-untied": Kind(
        "RobertaForMaskedLM",
        "RobertaConfig",
        ROBERTA | {"tie_word_embeddings": False},
        roberta_tokenizer,
        predicts="hidden",
    ),
    "distilbert": Kind(
        "DistilBertForMaskedLM",
        "DistilBertConfig",
        DISTILBERT,
        wordpiece_tokenizer,
        predicts="hidden",
    ),
    "distilbert-base": Kind(
        "DistilBertModel",
        "DistilBertConfig",
        DISTILBERT | {"sinusoidal_pos_embds": True, "activation": "relu"},
        wordpiece_tokenizer,
    ),
    "gpt2": Kind("GPT2LMHeadModel", "GPT2Config", GPT2, byte_level_bpe_tokenizer, predicts="next"),
    "gpt2-wide": Kind(
        "GPT2LMHeadModel",
        "GPT2Config",
        GPT2 | {"n_inner": 50, "activation_function": "gelu", "tie_word_embeddings": False},
        byte_level_bpe_tokenizer,
        0.02,
        predicts="next",
    ),
    "gpt2-base": Kind("GPT2Model", "GPT2Config", GPT2, byte_level_bpe_tokenizer),
    "llama": Kind("LlamaForCausalLM", "LlamaConfig", LLAMA, llama_tokenizer, predicts="next"),
    "llama-biased": Kind(
        "LlamaForCausalLM",
        "LlamaConfig",
        LLAMA | {"attention_bias": True, "mlp_bias": True, "hidden_act": "gelu"},
        llama_tokenizer,
        0.2,
        predicts="next",
    ),
    "llama-narrow": Kind(
        "LlamaForCausalLM",
        "LlamaConfig",
        LLAMA | {"head_dim": 6, "num_key_value_heads": 4, "rms_norm_eps": 1e-5},
        llama_tokenizer,
        predicts="next",
    ),
    "llama-base": Kind("LlamaModel", "LlamaConfig", LLAMA, llama_tokenizer),
    "mistral": Kind(
        "MistralForCausalLM",
        "MistralConfig",
        LLAMA | {"sliding_window": None, "num_hidden_layers": 2},
        llama_tokenizer,
        predicts="next",
    ),
    "qwen2": Kind(
        "Qwen2ForCausalLM", "Qwen2Config", QWEN2, byte_level_bpe_tokenizer, predicts="next"
    ),
    "qwen2-base": Kind("Qwen2Model", "Qwen2Config", QWEN2, byte_level_bpe_tokenizer),
    "bert-large-weights": Kind(
        "BertForMaskedLM", "BertConfig", BERT, wordpiece_tokenizer, 0.5, predicts="hidden"
    ),
    "gpt2-large-weights": Kind(
        "GPT2LMHeadModel", "GPT2Config", GPT2, byte_level_bpe_tokenizer, 0.5, predicts="next"
    ),
    "llama-large-weights": Kind(
        "LlamaForCausalLM", "LlamaConfig", LLAMA, llama_tokenizer, 0.5, predicts="next"
    ),
}


def build_model(kind: str, seed: int = 0, **changes: Any) -> transformers.PreTrainedModel:
    """Return a tiny model of a kind; `changes` override values of its configuration.

    Biases and gains of norms are random too, so that a test fails if one is not loaded.
    """
    spec = KINDS[kind]
    n_ids = Tokenizer.from_str(spec.tokenizer()).get_vocab_size()
    sizes = {"vocab_size": n_ids + EXTRA_EMBEDDING_ROWS, "initializer_range": spec.init_std}
    config = getattr(transformers, spec.config_class)(**(sizes | spec.config_values | changes))
    config._attn_implementation = "eager"
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = getattr(transformers, spec.model_class)(config)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                is_gain = parameter.ndim == 1 and name.endswith("weight")
                parameter.normal_(1.0 if is_gain else 0.0, spec.init_std)
    return model.eval()


def save_checkpoint(
    kind: str,
    folder: Path,
    *,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    shard: str | None = None,
    **changes: Any,
) -> Path:
    """Write a tiny model of a kind to a folder, and return the folder.

    `shard` is the maximum size of a weight file, such as "20KB".
    """
    model = build_model(kind, seed, **changes).to(dtype)
    logging.disable_progress_bar()
    model.save_pretrained(folder, **({"max_shard_size": shard} if shard else {}))
    (folder / "tokenizer.json").write_text(KINDS[kind].tokenizer(), "utf-8")
    return folder
