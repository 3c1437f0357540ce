"""What can be asked: the shipped models, their cards, and the tokenizer they share."""

from app.models.card import Card
from app.models.registry import SOURCES, Model, Registry, UnknownModelError, shipped_family
from app.models.tokenizer import Sentence, SentenceTokenizer, Token, Word, tidy

__all__ = [
    "SOURCES",
    "Card",
    "Model",
    "Registry",
    "Sentence",
    "SentenceTokenizer",
    "Token",
    "UnknownModelError",
    "Word",
    "shipped_family",
    "tidy",
]
