"""What can be asked: the shipped models, their cards, and the tokenizer they share."""

from app.models.card import Card
from app.models.registry import MODEL_KINDS, Model, Registry, UnknownModelError, load_builtin_models
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
