"""Measure the way from a typed sentence to the maps of the shipped models, and to their SVG."""

from dataclasses import dataclass

from app.attention import forward
from app.models import Model, Sentence, load_builtin_models
from app.picture import Axis, HeatmapLayout, heatmap
from benchmarks.document import Part, Profile, Table
from benchmarks.goals import BUILTIN_MODEL_MAPS, worst
from benchmarks.timing import Spread, Timing, time_interleaved
from benchmarks.watch import profile, with_profiling

SENTENCES = (
    "The cat sat down",
    "The cat and the dog sat down.",
    "The old man and his dog went down to the sea to look for fish.",
    "the cat sat down and " * 8,
)
GOAL_LENGTH = 16

ABOUT = """Three stages, each including the stages before: a sentence is split into tokens; the maps
of all heads in all layers of the four trained models are computed; each map is drawn as SVG. One
thread."""

HEADER = ("T", "tokens µs", "to all maps µs", "to all SVG µs", "maps", "KB of SVG")


@dataclass(frozen=True)
class Row:
    """One sentence. Each timing includes the stages before it."""

    n: int
    maps: int
    kilobytes: float
    timings: dict[str, Timing]

    @property
    def cells(self) -> tuple[str, ...]:
        stages = [Spread.from_samples(each.rounds).scaled_by(1e6) for each in self.timings.values()]
        formatted = [f"{stage:.0f}" for stage in stages]
        return (str(self.n), *formatted, str(self.maps), f"{self.kilobytes:.0f}")


def all_maps(models: list[Model], sentence: Sentence) -> list:
    """Return the attention matrix of every head in every layer of every model."""
    layers = [
        maps
        for model in models
        for maps in model.run(sentence, last_layer=model.card.n_layers - 1).weights
    ]
    return [weights for maps in layers for weights in maps]


def render_heatmaps(models: list[Model], text: str) -> list[str]:
    sentence = models[0].tokenizer.sentence(text)
    layout = HeatmapLayout(Axis([token.text for token in sentence.tokens], sentence.word_of, [0]))
    return [heatmap(weights, layout) for weights in all_maps(models, sentence)]


def measure() -> Part:
    models = load_builtin_models().of_kind("trained")
    rows = [_measure_row(models, text) for text in SENTENCES]
    measurements = [
        (row.timings["maps"].microseconds / 1e3, f"T = {row.n}")
        for row in rows
        if row.n == GOAL_LENGTH
    ]
    outcome = worst(BUILTIN_MODEL_MAPS, measurements)
    table = Table("", HEADER, tuple(row.cells for row in rows))
    tables = _time_by_model(models, SENTENCES[2]), _profile_calls(models[2], SENTENCES[2])
    profiles = tuple(Profile((BUILTIN_MODEL_MAPS,), each) for each in tables)
    return Part("The models of the lesson", ABOUT, (table,), (outcome,), profiles)


def _measure_row(models: list[Model], text: str) -> Row:
    tokenize = models[0].tokenizer.sentence
    timings = time_interleaved(
        {
            "tokens": lambda: tokenize(text),
            "maps": lambda: all_maps(models, tokenize(text)),
            "pictures": lambda: render_heatmaps(models, text),
        }
    )
    svgs = render_heatmaps(models, text)
    size = sum(map(len, svgs)) / 1024
    return Row(len(tokenize(text).tokens), len(svgs), size, timings)


def _time_by_model(models: list[Model], text: str) -> Table:
    """Return the times of the tokenizer and of each model."""
    tokenize = models[0].tokenizer.sentence
    sentence = tokenize(text)
    stages = {"tokens": lambda: tokenize(text)}
    for model in models:
        stages[model.card.id] = lambda model=model: all_maps([model], sentence)
    timings = time_interleaved(stages)
    return Table(
        f"Sentence to all maps, T = {len(sentence.tokens)}, stage by stage",
        ("stage", "µs"),
        tuple((name, f"{each.microseconds:.0f}") for name, each in timings.items()),
    )


def _profile_calls(model: Model, text: str) -> Table:
    """Profile the NumPy functions that one model calls for all its maps."""
    ids, last = model.tokenizer.sentence(text).ids, model.card.n_layers - 1
    profiled_transformer = with_profiling(model.transformer)
    return profile(
        f"All maps of {model.card.id}, T = {len(ids)}, call by call",
        lambda: forward(model.transformer, ids, last_layer=last),
        lambda: forward(profiled_transformer, ids, last_layer=last),
    )
