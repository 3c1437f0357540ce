"""Deliberate mistakes that the test suite must find.

python -m tests.mutants              apply each to a copy of the sources and run its tests
python -m tests.mutants cache CORS   only those whose name contains one of the words

Prints "killed" and the first failing test, or "SURVIVED". The exit status is 0 if all are killed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "build", "dist", "*.egg-info"
)
TIMEOUT_SECONDS = 1800

TESTS_FAILED = 1
"""Exit status of pytest if tests ran and one failed; others mean that the tests did not run."""


class MutantError(Exception):
    """A mutant that cannot be applied or tested."""


@dataclass(frozen=True)
class Mutant:
    """A mistake: in `file`, the only occurrence of `old` becomes `new`; `tests` must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def mutated(self, root: Path) -> str:
        """Return the file with the mistake.

        Raises `MutantError` if `old` does not occur exactly once or changes nothing.
        """
        path = root / self.file
        source = path.read_text(encoding="utf-8") if path.is_file() else ""
        if (n := source.count(self.old)) != 1:
            raise MutantError(f"{self.name}: {n} occurrences in {self.file} of: {self.old}")
        if self.old == self.new:
            raise MutantError(f"{self.name}: nothing changes")
        for test in self.tests:
            if not (root / test.partition("::")[0]).exists():
                raise MutantError(f"{self.name}: there is no {test}")
        return source.replace(self.old, self.new)


ATTENTION = (
    Mutant(
        "the causal mask is off by one: a token reads the next",
        "app/attention/textbook.py",
        "return np.tri(n, dtype=bool)",
        "return np.tri(n, k=1, dtype=bool)",
        ("tests/attention/test_textbook.py",),
    ),
    Mutant(
        "the causal mask is off by one: a token does not read itself",
        "app/attention/textbook.py",
        "return np.tri(n, dtype=bool)",
        "return np.tri(n, k=-1, dtype=bool) | (np.arange(n) == 0)[:, None]",
        ("tests/attention/test_textbook.py",),
    ),
    Mutant(
        "a mask replaces the causal one instead of adding to it",
        "app/attention/forward_pass.py",
        "mask & causal_mask(n)",
        "mask",
        ("tests/attention/test_forward_pass.py",),
    ),
    Mutant(
        "heads are switched off in every layer",
        "app/attention/intervention.py",
        "for ablated_layer, head in self.ablated_heads if ablated_layer == layer",
        "for _, head in self.ablated_heads",
        ("tests/attention/test_intervention.py", "tests/attention/test_forward_pass.py"),
    ),
    Mutant(
        "switched-off heads still write",
        "app/attention/fast.py",
        "heads[:, list(ablated_heads)] = 0",
        "heads[:, list(ablated_heads)] *= 1",
        ("tests/attention/test_fast.py",),
    ),
    Mutant(
        "the fast scores are divided by d_head instead of its root",
        "app/attention/fast.py",
        "query *= 1 / sqrt(W.d_head)",
        "query *= 1 / W.d_head",
        ("tests/attention/test_fast.py",),
    ),
    Mutant(
        "large scores are not reduced by their maximum",
        "app/attention/fast.py",
        "transposed -= largest",
        "transposed -= 0 * largest",
        ("tests/attention/test_fast.py",),
    ),
    Mutant(
        "a product in parts is doubled",
        "app/attention/matmul.py",
        "np.add.reduce(np.matmul(x_parts, weight_parts), axis=0)",
        "2 * np.add.reduce(np.matmul(x_parts, weight_parts), axis=0)",
        ("tests/attention/test_matmul.py",),
    ),
    Mutant(
        "positions of rotary embeddings count from 1",
        "app/attention/rope.py",
        "np.outer(np.arange(n), frequencies)",
        "np.outer(np.arange(1, n + 1), frequencies)",
        ("tests/attention/test_rope.py",),
    ),
    Mutant(
        "entropy is in nats",
        "app/attention/metrics.py",
        "logarithms = np.log2(",
        "logarithms = np.log(",
        ("tests/attention/test_metrics.py",),
    ),
    Mutant(
        "an extended pass keeps the inputs of the wrong layer",
        "app/attention/forward_pass.py",
        "first = max(0, len(self.weights) - 1)",
        "first = len(self.weights)",
        ("tests/attention/test_forward_pass.py", "tests/models/test_forward_cache.py"),
    ),
)

MODELS = (
    Mutant(
        "the cache of forward passes ignores the model",
        "app/models/model.py",
        "key = self.card.id, tuple(sentence.ids), intervention",
        'key = "", tuple(sentence.ids), intervention',
        ("tests/models/test_forward_cache.py",),
    ),
    Mutant(
        "the cache of forward passes ignores what was changed",
        "app/models/model.py",
        "key = self.card.id, tuple(sentence.ids), intervention",
        "key = self.card.id, tuple(sentence.ids), NO_INTERVENTION",
        ("tests/models/test_forward_cache.py",),
    ),
    Mutant(
        "a truncated sentence is one token too long",
        "app/models/tokenizer.py",
        "max(1, max_tokens - self.n_special_tokens)",
        "max(1, max_tokens - self.n_special_tokens + 1)",
        ("tests/models/test_tokenizer.py",),
    ),
    Mutant(
        "a truncated sentence is one token too short",
        "app/models/tokenizer.py",
        "max(1, max_tokens - self.n_special_tokens)",
        "max(1, max_tokens - self.n_special_tokens - 1)",
        ("tests/models/test_tokenizer.py",),
    ),
    Mutant(
        "every token counts as known",
        "app/models/tokenizer.py",
        "known = token_id != self._unknown_id",
        "known = True",
        ("tests/models/test_tokenizer.py",),
    ),
    Mutant(
        "rows of the embedding without a token are predicted",
        "app/models/prediction.py",
        "probabilities[: model.tokenizer.vocabulary_size]",
        "probabilities",
        ("tests/models/test_prediction.py",),
    ),
    Mutant(
        "predictions are made with all heads",
        "app/models/prediction.py",
        "final_hidden(model.run(sentence, intervention=intervention))",
        "final_hidden(model.run(sentence))",
        ("tests/models/test_prediction.py",),
    ),
    Mutant(
        "positions of RoBERTa begin at the padding",
        "app/models/checkpoints/architectures/roberta.py",
        "first = padding + 1",
        "first = padding",
        ("tests/models/checkpoints/architectures/test_architectures.py",),
    ),
    Mutant(
        "bfloat16 loses a bit",
        "app/models/checkpoints/safetensors_reader.py",
        "np.left_shift(bits, 16, out=bits)",
        "np.left_shift(bits, 15, out=bits)",
        ("tests/models/checkpoints/test_safetensors_reader.py",),
    ),
)

EVALUATION = (
    Mutant(
        "a loss without a head has the wrong sign",
        "app/evaluation/ablation.py",
        "differences = ablated - baseline",
        "differences = baseline - ablated",
        ("tests/evaluation/test_ablation.py",),
    ),
    Mutant(
        "heads are named after few cases",
        "app/evaluation/report.py",
        "self.test.n >= MIN_CASES\n            and ",
        "",
        ("tests/evaluation/test_report.py",),
    ),
    Mutant(
        "a record of other weights is used",
        "app/evaluation/report.py",
        "if evidence.weights_sha256 != model.weights_sha256:",
        "if not evidence.weights_sha256:",
        ("tests/evaluation/test_report.py",),
    ),
)

PICTURE_AND_EXPORTS = (
    Mutant(
        "labels of maps are not escaped",
        "app/picture/map_layout.py",
        "return escape(text) if text == whole else",
        "return text if text == whole else",
        ("tests/picture/test_heatmap.py",),
    ),
    Mutant(
        "hidden rows of a map keep their colours",
        "app/picture/heatmap.py",
        "levels = quantise(weights)\n    levels[list(hidden_rows)] = 0",
        "levels = quantise(weights)",
        ("tests/picture/test_heatmap.py",),
    ),
    Mutant(
        "cells below 0 of a strip touch its top",
        "app/picture/vector_strip.py",
        "for y in (_BELOW_Y, _ABOVE_Y)",
        "for y in (_ABOVE_Y, _ABOVE_Y)",
        ("tests/picture/test_vector_strip.py",),
    ),
    Mutant(
        "words of the row figure are not escaped",
        "app/picture/row_table.py",
        '">{escape(text)}</bdi>',
        '">{text}</bdi>',
        ("tests/picture/test_row_figure.py",),
    ),
    Mutant(
        "the row figure adds up keys instead of values",
        "app/lesson/labs/row_figure.py",
        "value=trace.V[head, shown]",
        "value=trace.K[head, shown]",
        ("tests/lesson/labs/test_row_figure.py",),
    ),
    Mutant(
        "words of strips are not escaped",
        "app/picture/strip.py",
        '<span class="word">{escape(word)}</span>',
        '<span class="word">{word}</span>',
        ("tests/picture/test_strip.py",),
    ),
    Mutant(
        "levels of colour are rounded down",
        "app/picture/colour_scale.py",
        "np.rint(clipped * LEVELS)",
        "np.floor(clipped * LEVELS)",
        ("tests/picture/test_colour_scale.py",),
    ),
    Mutant(
        "a map outlines the smallest cell of a row",
        "app/picture/heatmap.py",
        "columns = weights.argmax(axis=1).tolist()",
        "columns = weights.argmin(axis=1).tolist()",
        ("tests/picture/test_heatmap.py",),
    ),
    Mutant(
        "a table's label may be a formula",
        "app/exports/csv_json_npz.py",
        "labels = [escape_formula(label) for label in state.axis.labels]",
        "labels = list(state.axis.labels)",
        ("tests/exports/test_csv_json_npz.py",),
    ),
)

LESSON = (
    Mutant(
        "a question is about a head that follows a place",
        "app/lesson/predictions/head_record.py",
        "        and not set(PLACE_LABELS) & set(evidence.labels_of(layer, record.head))\n",
        "",
        ("tests/lesson/predictions/test_head_record.py",),
    ),
    Mutant(
        "one shared set of keys leaves every head its own",
        "app/lesson/predictions/shared_keys.py",
        "ONE_SET = Intervention(groups=1)",
        "ONE_SET = Intervention()",
        ("tests/lesson/predictions/test_shared_keys.py",),
    ),
    Mutant(
        "maps with one set of keys are shown before the answer",
        "app/lesson/labs/lab_state.py",
        "return groups if self.is_revealed or groups != 1 else 0",
        "return groups",
        ("tests/lesson/labs/test_grouped_query.py",),
    ),
    Mutant(
        "records are shown before the answer",
        "app/lesson/labs/head_metrics.py",
        "shown_evidence = evidence if state.is_revealed else None",
        "shown_evidence = evidence",
        ("tests/lesson/labs/test_head_metrics.py",),
    ),
    Mutant(
        "guesses are compared by their rank alone",
        "app/lesson/predictions/best_guess.py",
        "== format_weight(largest)",
        "!= ''",
        ("tests/lesson/predictions/test_best_guess.py",),
    ),
    Mutant(
        "the hidden word counts as a better guess than itself",
        "app/lesson/masked_word.py",
        "probabilities > probability",
        "probabilities >= probability",
        ("tests/lesson/predictions/test_best_guess.py",),
    ),
    Mutant(
        "the word that a head reads most is that of one token",
        "app/lesson/predictions/largest_contribution.py",
        "np.bincount(sentence.word_of, token_weights)",
        "token_weights",
        ("tests/lesson/predictions/test_largest_contribution.py",),
    ),
    Mutant(
        "what heads add is shown before the commitment",
        "app/lesson/labs/output_projection.py",
        "_contributions(state) if is_revealed else None",
        "_contributions(state)",
        ("tests/lesson/labs/test_output_projection.py",),
    ),
    Mutant(
        "guesses are shown before the commitment",
        "app/lesson/labs/head_count.py",
        "hidden_word(state, state.models) if state.is_revealed else None",
        "hidden_word(state, state.models)",
        ("tests/web/test_commitment.py",),
    ),
    Mutant(
        "the interval of a change has the width of one run",
        "app/evaluation/seed_runs.py",
        "/ sqrt(len(differences))",
        "",
        ("tests/lesson/labs/test_head_count.py",),
    ),
    Mutant(
        "what is typed becomes HTML in the lesson's sentences",
        "app/lesson/live_html.py",
        "<bdi>{escape(values[part.name])}</bdi>",
        "<bdi>{values[part.name]}</bdi>",
        ("tests/lesson/test_live_html.py",),
    ),
    Mutant(
        "raw HTML in prose is kept",
        "app/lesson/markdown.py",
        '"html": False',
        '"html": True',
        ("tests/lesson/test_markdown.py",),
    ),
    Mutant(
        "a link that makes no sense stays a link",
        "app/lesson/live_html.py",
        "pieces.append(label if url is None else _acting_link(link_id, url, part, label))",
        'pieces.append(_acting_link(link_id, url or "", part, label))',
        ("tests/lesson/test_live_html.py",),
    ),
    Mutant(
        "a causal model gets a causal mask to press",
        "app/lesson/acting_links.py",
        "return _is_flag(value, view) and not view.model.card.causal",
        "return _is_flag(value, view)",
        ("tests/lesson/test_acting_links.py",),
    ),
    Mutant(
        "text for the learner's own sentence stands beside the step's",
        "app/web/rendering/prose.py",
        'return (segment.condition == "default") == self.is_default_sentence',
        'return (segment.condition == "own") == self.is_default_sentence',
        ("tests/web/rendering/test_prose.py",),
    ),
    Mutant(
        "a link in prose keeps the answer to another question",
        "app/web/rendering/prose.py",
        'dropped.append("predict")',
        "pass",
        ("tests/web/rendering/test_prose.py",),
    ),
    Mutant(
        "a link in prose changes what an assignment fixes",
        "app/web/rendering/prose.py",
        "if any(name in requested.assignment.fixed for name in params):",
        "if not params:",
        ("tests/web/rendering/test_prose.py",),
    ),
    Mutant(
        "text for other sentences counts as read",
        "app/lesson/reading_time.py",
        'if segment.condition != "own"',
        "if segment.kind",
        ("tests/lesson/test_reading_time.py",),
    ),
    Mutant(
        "the right option of a check is always the first",
        "app/lesson/option_order.py",
        "return (*wrong[:place], *right, *wrong[place:])",
        "return (*right, *wrong)",
        ("tests/lesson/test_option_order.py",),
    ),
    Mutant(
        "the code of a step says before the answer what each head adds",
        "app/lesson/step_code.py",
        "lines = self.lines if state.is_revealed else self.lines_before_answer or self.lines",
        "lines = self.lines",
        ("tests/lesson/test_step_code.py",),
    ),
    Mutant(
        "a version forgets that its question was another",
        "app/lesson/versions.py",
        "return self.questions.get(slug) == computed_by",
        "return self.questions.get(slug, computed_by) == computed_by",
        ("tests/lesson/test_versions.py",),
    ),
    Mutant(
        "words are shuffled into the order that they had",
        "app/lesson/shuffle.py",
        "if words != texts and ",
        "if ",
        ("tests/lesson/test_shuffle.py",),
    ),
    Mutant(
        "the number of top words counts heads",
        "app/lesson/predictions/distinct_words.py",
        "return sorted({len(picked) for picked in picked_sets})",
        "return [inputs.model.card.n_heads]",
        ("tests/lesson/predictions/test_distinct_words.py",),
    ),
    Mutant(
        "a lost step of an old version is no problem",
        "app/lesson/versions.py",
        "return [slug for slug in self.steps if slug not in slugs]",
        "return [slug for slug in () if slug not in slugs]",
        ("tests/lesson/test_versions.py",),
    ),
)

WEB = (
    Mutant(
        "words on buttons are not escaped",
        "app/web/rendering/buttons.py",
        "text = escape(word.text)",
        "text = word.text",
        ("tests/web/rendering/test_buttons.py",),
    ),
    Mutant(
        "tokens on buttons are not escaped",
        "app/web/rendering/buttons.py",
        "[escape(token.text) for token in lab_state.tokens]",
        "[token.text for token in lab_state.tokens]",
        ("tests/web/rendering/test_buttons.py",),
    ),
    Mutant(
        "the word that a head reads most is not escaped",
        "app/web/rendering/heads.py",
        '<bdi class="is-key">{escape(top_word.word)}</bdi>',
        '<bdi class="is-key">{top_word.word}</bdi>',
        ("tests/web/rendering/test_heads.py",),
    ),
    Mutant(
        "the words of a head's largest weight are not escaped",
        "app/web/rendering/heads.py",
        "<bdi>{escape(strongest.key)}</bdi>",
        "<bdi>{strongest.key}</bdi>",
        ("tests/web/rendering/test_heads.py",),
    ),
    Mutant(
        "links to steps do not escape what they carry along",
        "app/web/rendering/links.py",
        "url = escape(urls[entry.step.slug])",
        "url = urls[entry.step.slug]",
        ("tests/web/rendering/test_links.py",),
    ),
    Mutant(
        "templates escape nothing",
        "app/web/rendering/templates.py",
        "autoescape=True",
        "autoescape=False",
        ("tests/web/rendering",),
    ),
    Mutant(
        "scripts of every site may read answers",
        "app/application.py",
        "allow_origins=settings.cors_origins",
        'allow_origins=["*"]',
        ("tests/web/middleware/test_cors.py",),
    ),
    Mutant(
        "scripts of other sites may use every method",
        "app/application.py",
        'allow_methods=["GET", "HEAD"]',
        'allow_methods=["*"]',
        ("tests/web/middleware/test_cors.py",),
    ),
    Mutant(
        "CORS headers are sent without the setting",
        "app/application.py",
        "*([cors] if settings.cors_origins else []),",
        'Middleware(CORSMiddleware, allow_origins=settings.cors_origins or ["*"]),',
        ("tests/web/middleware/test_cors.py",),
    ),
    Mutant(
        "every page says that a word is unknown",
        "app/web/rendering/step_context.py",
        "return not all(token.known for token in self.state.sentence.tokens)",
        "return True",
        ("tests/web/routes/test_step.py",),
    ),
    Mutant(
        "the model is lost on the way to another step",
        "app/web/state/links.py",
        '        carried["model"] = view.model_id\n',
        "        pass\n",
        ("tests/web/state/test_links.py", "tests/web/routes/test_lesson.py"),
    ),
    Mutant(
        "the word that asks is lost on the way to another step",
        "app/web/state/links.py",
        'return {"word": str(view.word)}',
        "return {}",
        ("tests/web/state/test_links.py", "tests/web/routes/test_lesson.py"),
    ),
    Mutant(
        "the link to the next step carries nothing along",
        "templates/parts/next.html",
        "{{ navigation.next_url }}",
        "{{ navigation.next_url.partition('?')[0] }}",
        ("tests/web/routes/test_step.py",),
    ),
    Mutant(
        "the form does not send the previous word",
        "app/web/state/form.py",
        "params[name] for name in SELECTION_PARAMS}",
        'params[name] for name in SELECTION_PARAMS if name != "word"}',
        ("tests/web/state/test_form.py", "tests/web/test_lab_form.py"),
    ),
    Mutant(
        "the page's form leaves the previous selection out",
        "templates/parts/lab-fields.html",
        "[form.hidden_fields, form.previous_selection, form.previous_controls]",
        "[form.hidden_fields, form.previous_controls]",
        ("tests/web/test_lab_form.py",),
    ),
    Mutant(
        "a prediction is kept although the sentence changed",
        "app/web/state/form.py",
        "_changes(query, form, name) for name in depends_on",
        "False for name in depends_on",
        ("tests/web/state/test_form.py",),
    ),
    Mutant(
        "in the learner's own sentence the first word asks",
        "app/web/state/versions.py",
        "return 0 if self.first_word_asks else longest_word(sentence)",
        "return 0",
        ("tests/web/state/test_view.py",),
    ),
    Mutant(
        "before the answer, heads that the question is about show the rows of other words",
        "app/lesson/labs/hidden_rows.py",
        "n_heads), range(len(state.tokens)))",
        "n_heads), state.query_rows)",
        ("tests/web/test_commitment.py",),
    ),
    Mutant(
        "the code of a step holds the rows that the page leaves out",
        "app/web/routes/step_files.py",
        "if requested.lab.hides_query_rows(requested.lab_state.displayed):",
        "if False:",
        ("tests/web/test_commitment.py",),
    ),
    Mutant(
        "the answer in a link to another question is kept",
        "app/web/state/requested_view.py",
        'outdated = {"predict"}',
        "outdated = set()",
        ("tests/web/test_links.py",),
    ),
    Mutant(
        "the hidden fields of a chosen model are sent although it is the step's own",
        "app/web/state/form.py",
        "if not view.has_chosen_model:",
        "if False:",
        ("tests/web/state/test_form.py", "tests/web/test_lab_form.py"),
    ),
    Mutant(
        "pooled keys show before the prediction",
        "app/web/state/requested_view.py",
        "controls = replace(controls, groups=0)",
        "pass",
        ("tests/web/routes/test_lesson.py",),
    ),
    Mutant(
        "rows that answer the question are never left out",
        "app/lesson/labs/__init__.py",
        "return NO_ROWS if state.is_revealed else self.answering_rows(state)",
        "return NO_ROWS",
        ("tests/web/routes/test_step_files.py",),
    ),
    Mutant(
        "a handout with blanks shows the answer if the page does",
        "app/web/state/requested_view.py",
        "view = self.view.replace(reveal=is_revealed, predict=None)",
        "view = self.view",
        ("tests/web/routes/test_step_files.py",),
    ),
    Mutant(
        "the API leaves out what learners have not predicted",
        "app/web/routes/api_labs.py",
        "state, prediction = requested.complete_lab_state, requested.prediction",
        "state, prediction = requested.lab_state, requested.prediction",
        ("tests/web/routes/test_api_labs.py", "tests/web/routes/test_lesson.py"),
    ),
    Mutant(
        "a form may change what an assignment fixes",
        "app/web/state/requested_view.py",
        "view_query = assignment.apply_fixed(form_query)",
        "view_query = form_query",
        ("tests/web/routes/test_assign.py",),
    ),
    Mutant(
        "assignments of other servers are accepted",
        "app/web/state/assignments.py",
        "if self.is_enabled and not _equal_in_constant_time(",
        "if False and not _equal_in_constant_time(",
        ("tests/web/state/test_assignments.py",),
    ),
    Mutant(
        "the response cache ignores the query",
        "app/web/middleware/response_cache.py",
        '            scope["query_string"],\n',
        "",
        ("tests/web/middleware/test_response_cache.py",),
    ),
    Mutant(
        "the response cache ignores the host's path",
        "app/web/middleware/response_cache.py",
        '            scope.get("root_path"),\n',
        "",
        ("tests/web/middleware/test_response_cache.py", "tests/web/test_sub_path.py"),
    ),
    Mutant(
        "the response cache ignores the headers that pages vary by",
        "app/web/middleware/response_cache.py",
        "            *(headers.get(name) for name in KEY_HEADERS),\n",
        "",
        ("tests/web/middleware/test_response_cache.py",),
    ),
    Mutant(
        "an ETag does not depend on the body",
        "app/web/middleware/etag.py",
        "sha256(_htmx_header_bytes(start) + body)",
        "sha256(_htmx_header_bytes(start))",
        ("tests/web/middleware/test_etag.py",),
    ),
    Mutant(
        "inline scripts may run",
        "app/web/middleware/security_headers.py",
        "\"script-src 'self'\"",
        "\"script-src 'self' 'unsafe-inline'\"",
        ("tests/web/middleware/test_security_headers.py",),
    ),
    Mutant(
        "every page may be framed by embedding sites",
        "app/web/middleware/security_headers.py",
        "if _EMBEDDABLE_HEADER_NAME in present:",
        "if self.embeddable_headers:",
        ("tests/web/middleware/test_security_headers.py", "tests/web/routes/test_oembed.py"),
    ),
    Mutant(
        "the access log keeps what is typed",
        "app/web/middleware/access_log.py",
        'str(path).partition("?")[0]',
        "str(path)",
        ("tests/web/middleware/test_access_log.py",),
    ),
    Mutant(
        "the rate limit is never reached",
        "app/web/rate_limit.py",
        "if await limiter.hit(rate, client):",
        "if await limiter.hit(rate, client) or True:",
        ("tests/web/test_rate_limit.py",),
    ),
    Mutant(
        "absolute links lack the path of a sub-path server",
        "app/web/state/links.py",
        'return str(request.base_url).rstrip("/")',
        'return f"{request.url.scheme}://{request.url.netloc}"',
        ("tests/web/test_sub_path.py",),
    ),
    Mutant(
        "typing adds an entry to the history for every letter",
        "app/web/htmx.py",
        "replaces = self.is_typing or self.current_path_and_query == path_and_query",
        "replaces = self.current_path_and_query == path_and_query",
        ("tests/web/routes/test_step.py",),
    ),
)

MUTANTS = (*ATTENTION, *MODELS, *EVALUATION, *PICTURE_AND_EXPORTS, *LESSON, *WEB)


def check(mutants: Iterable[Mutant], root: Path) -> list[str]:
    """Return why mutants cannot be applied, one message each."""
    problems = []
    for mutant in mutants:
        try:
            mutant.mutated(root)
        except MutantError as error:
            problems.append(str(error))
    return problems


def run_tests(folder: Path, tests: Sequence[str]) -> tuple[int, str]:
    """Run tests until the first failure; return pytest's status and the name of that test."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    result = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"CI": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", result.stdout, re.MULTILINE)
    return result.returncode, failed[1] if failed else result.stdout[-2_000:] + result.stderr


def is_killed(mutant: Mutant, folder: Path) -> tuple[bool, str]:
    """Apply a mutant in a copy of the sources, run its tests, and take it back.

    Returns whether a test failed, and which. Raises `MutantError` if the tests did not run.
    """
    path, mutated = folder / mutant.file, mutant.mutated(folder)
    source = path.read_text(encoding="utf-8")
    path.write_text(mutated, encoding="utf-8")
    try:
        status, failed_test = run_tests(folder, mutant.tests)
    finally:
        path.write_text(source, encoding="utf-8")
    if status not in (0, TESTS_FAILED):
        raise MutantError(f"{mutant.name}: the tests did not run: {failed_test}")
    return status == TESTS_FAILED, failed_test


def report(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(words: Sequence[str]) -> int:
    chosen = [each for each in MUTANTS if not words or any(word in each.name for word in words)]
    if problems := check(chosen, ROOT):
        report("\n".join(problems))
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "headwise"
        shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
        status, failed_test = run_tests(folder, sorted({t for each in chosen for t in each.tests}))
        if status:
            report(f"Without any mistake the tests fail already: {failed_test}")
            return 2
        n_killed = 0
        for mutant in chosen:
            killed, failed_test = is_killed(mutant, folder)
            n_killed += killed
            outcome = f"killed    {mutant.name}: {failed_test}"
            report(outcome if killed else f"SURVIVED  {mutant.name}: {' '.join(mutant.tests)}")
    report(f"{n_killed} of {len(chosen)} killed")
    return 0 if n_killed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
