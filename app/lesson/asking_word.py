"""Which word of a sentence asks: the longest, or the same word as before."""

from app.models import Sentence


def longest_word(sentence: Sentence) -> int:
    """Return the index of the word with most letters and digits: `Sentence.longest_word`."""
    return sentence.longest_word


def same_word(previous: Sentence, word: int, sentence: Sentence) -> int | None:
    """Return the index in `sentence` of the word with the text of a word of `previous`.

    Of several it is the one nearest to the old place. None if there is no such word.
    """
    if not 0 <= word < len(previous.words):
        return None
    text = previous.words[word].text.casefold()
    places = [each.index for each in sentence.content_words if each.text.casefold() == text]
    return min(places, key=lambda place: abs(place - word), default=None)


def word_after_edit(previous: Sentence, word: int, sentence: Sentence, default_word: int) -> int:
    """Return the word that asks after `previous` was edited to `sentence`.

    The same word asks if it is still there, else `default_word`. While a learner types on, and no
    other than the longest word asks, the longest of what is typed goes on asking.
    """
    types_on = sentence.text.startswith(previous.text) and not previous.is_blank
    if types_on and word == longest_word(previous):
        return default_word
    place = same_word(previous, word, sentence)
    return default_word if place is None else place
