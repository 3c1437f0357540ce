"""From a typed sentence to the maps of the lesson's models, and on to their pictures."""

from dataclasses import dataclass

from app.attention import forward
from app.models import Model, Sentence, load_builtin_models
from app.picture import Axis, HeatmapLayout, heatmap
from benchmarks.document import Part, Profile, Table
from benchmarks.goals import FAMILY_MAPS, worst
from benchmarks.timing import Spread, Timed, interleaved
from benchmarks.watch import profile, watched

SENTENCES = (
    "The cat sat down",
    "The cat and the dog sat down.",
    "The old man and his dog went down to the sea to look for fish.",
    "the cat sat down and " * 8,
)
JUDGED_AT = 16

ABOUT = """A typed sentence, cut into tokens; then the maps of all heads in all layers of the four
trained models; then each of these maps as SVG. One thread."""

HEADER = ("T", "tokens µs", "to all maps µs", "to all SVG µs", "maps", "KB of SVG")


@dataclass(frozen=True)
class Row:
    """One sentence, and what its stages take, each with those before it."""

    n: int
    maps: int
    kilobytes: float
    timed: dict[str, Timed]

    @property
    def cells(self) -> tuple[str, ...]:
        stages = [Spread.of(each.rounds).times(1e6) for each in self.timed.values()]
        written = [f"{stage:.0f}" for stage in stages]
        return (str(self.n), *written, str(self.maps), f"{self.kilobytes:.0f}")


def all_maps(models: list[Model], sentence: Sentence) -> list:
    """Every head's map in every layer of every model, as matrices."""
    layers = [
        maps
        for model in models
        for maps in model.run(sentence, last_layer=model.card.n_layers - 1).weights
    ]
    return [weights for maps in layers for weights in maps]


def pictures(models: list[Model], text: str) -> list[str]:
    sentence = models[0].tokenizer.sentence(text)
    frame = HeatmapLayout(Axis([token.text for token in sentence.tokens], sentence.word_of, [0]))
    return [heatmap(weights, frame) for weights in all_maps(models, sentence)]


def measured() -> Part:
    models = load_builtin_models().of_kind("trained")
    rows = [_row(models, text) for text in SENTENCES]
    found = [
        (row.timed["maps"].microseconds / 1e3, f"T = {row.n}") for row in rows if row.n == JUDGED_AT
    ]
    outcome = worst(FAMILY_MAPS, found)
    table = Table("", HEADER, tuple(row.cells for row in rows))
    tables = _by_model(models, SENTENCES[2]), _by_call(models[2], SENTENCES[2])
    profiles = tuple(Profile((FAMILY_MAPS,), each) for each in tables)
    return Part("The models of the lesson", ABOUT, (table,), (outcome,), profiles)


def _row(models: list[Model], text: str) -> Row:
    tokenize = models[0].tokenizer.sentence
    timed = interleaved(
        {
            "tokens": lambda: tokenize(text),
            "maps": lambda: all_maps(models, tokenize(text)),
            "pictures": lambda: pictures(models, text),
        }
    )
    drawn = pictures(models, text)
    size = sum(map(len, drawn)) / 1024
    return Row(len(tokenize(text).tokens), len(drawn), size, timed)


def _by_model(models: list[Model], text: str) -> Table:
    """What tokens and each model take of the whole."""
    tokenize = models[0].tokenizer.sentence
    sentence = tokenize(text)
    stages = {"tokens": lambda: tokenize(text)}
    for model in models:
        stages[model.card.id] = lambda model=model: all_maps([model], sentence)
    timed = interleaved(stages)
    return Table(
        f"Sentence to all maps, T = {len(sentence.tokens)}, stage by stage",
        ("stage", "µs"),
        tuple((name, f"{each.microseconds:.0f}") for name, each in timed.items()),
    )


def _by_call(model: Model, text: str) -> Table:
    """The NumPy functions that one model calls for all its maps."""
    ids, last = model.tokenizer.sentence(text).ids, model.card.n_layers - 1
    under_watch = watched(model.transformer)
    return profile(
        f"All maps of {model.card.id}, T = {len(ids)}, call by call",
        lambda: forward(model.transformer, ids, last_layer=last),
        lambda: forward(under_watch, ids, last_layer=last),
    )
