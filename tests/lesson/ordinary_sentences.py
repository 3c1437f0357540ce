"""Sixty ordinary sentences such as learners type, each with a word that asks."""

from dataclasses import dataclass

FUNCTION_WORDS = """
a an the my his her its our your their i you he she we they me him us them who which what that than
this such some every no nobody is are was were be been has have had will would did do never and or
but if when while until because before after again also very not in on at by for with without from
of to into near over under behind like
"""


@dataclass(frozen=True)
class OrdinarySentence:
    """A sentence without punctuation. `word` is the index of the content word in its middle."""

    text: str
    word: int


def _with_middle_word(text: str) -> OrdinarySentence:
    words = text.split()
    middle = (len(words) - 1) / 2
    function_words = FUNCTION_WORDS.split()
    content = [index for index, word in enumerate(words) if word.lower() not in function_words]
    return OrdinarySentence(text, min(content, key=lambda index: abs(index - middle)))


ORDINARY_SENTENCES = tuple(
    map(
        _with_middle_word,
        [
            "Birds sing in the morning",
            "the old dog slept by the fire",
            "She wrote a letter to her brother",
            "My sister lives near the sea",
            "rain fell on the roof all night",
            "The children played in the garden until dark",
            "I lost my keys at the station",
            "A small boat crossed the river",
            "He reads the paper every morning",
            "we bought bread and cheese at the market",
            "The train arrived late again",
            "Her father opened the door very slowly",
            "The teacher asked a difficult question",
            "they walked home through the snow",
            "The dog chased the cat and the cat chased the mouse",
            "Nobody knew the answer",
            "the king gave his daughter a golden ring",
            "Our neighbour grows roses behind the house",
            "The soup was hot and the bread was fresh",
            "I think that you are right",
            "The man with the red hat laughed",
            "Some people drink tea without sugar",
            "the wind blew the door open",
            "Two soldiers stood before the gate",
            "She put the book on the table and left the room",
            "The doctor told him to rest for a week",
            "my friend cooked rice with fish",
            "The ship sailed west for many days",
            "A bird in the hand is worth two in the bush",
            "The poor woman sold her last cow",
            "he broke his arm when he fell from the tree",
            "The moon shone over the quiet valley",
            "Every student needs a good dictionary",
            "Time flies like an arrow",
            "the boy who found the money kept it",
            "The lawyer read the long letter twice before he answered it",
            "You promised to come back before winter",
            "The river runs under the old stone bridge",
            "they built a new school near the church",
            "Good food makes happy guests",
            "The captain ordered his men to lower the sails",
            "I have never seen such a beautiful horse",
            "the baby cried because she was hungry",
            "The farmer sold two cows and bought three horses",
            "Did you hear the noise in the kitchen",
            "The queen wore a long white dress",
            "We waited an hour for the bus",
            "no man knows what the future will bring",
            "The thief ran away when the dog barked",
            "His uncle paid for the journey",
            "The window was broken by a heavy stone",
            "snow covers the mountains in winter",
            "The young doctor married a rich widow from London",
            "People said that people would never fly",
            "The clock on the wall struck nine",
            "She smiled and closed her eyes",
            "an honest answer is better than a pleasant lie",
            "The fire burned all night in the empty house",
            "My brother and my cousin went to sea together",
            "The letter that she wrote never reached him",
        ],
    )
)
"""Four to fourteen words each; some repeat a word, some have no capital letter."""
