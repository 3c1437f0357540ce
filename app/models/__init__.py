"""Models: those that ship with Headwise and checkpoints, with their cards and tokenizers."""

from app.models.builtin import load_builtin_models
from app.models.card import Card
from app.models.model import Model
from app.models.registry import MODEL_KINDS, Registry, UnknownModelError
from app.models.tokenizer import Sentence, SentenceTokenizer, Token, Word, sanitise_text

__all__ = [
    "MODEL_KINDS",
    "Card",
    "Model",
    "Registry",
    "Sentence",
    "SentenceTokenizer",
    "Token",
    "UnknownModelError",
    "Word",
    "load_builtin_models",
    "sanitise_text",
]
