"""Models together with the evidence measured on their heads."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from app.evaluation.report import Evidence, EvidenceError, read_evidence
from app.evaluation.seed_runs import SeedRuns, read_seed_runs
from app.models import Model, Registry
from app.models.builtin import BUILTIN_FOLDER, BrokenModelError
from app.models.checkpoints import CheckpointError
from app.models.checkpoints.errors import checkpoint_error


class EvaluatedRegistry(Registry):
    """Models, the evidence measured on their heads, and training runs from several seeds.

    `evidence` maps model ids to evidence; models that were not measured have no entry. `seed_runs`
    is None if there is no record of such runs.
    """

    def __init__(
        self,
        models: Iterable[Model],
        evidence: Mapping[str, Evidence],
        seed_runs: SeedRuns | None = None,
    ) -> None:
        super().__init__(models)
        self._evidence = evidence
        self.seed_runs = seed_runs

    def evidence_of(self, model: Model) -> Evidence | None:
        """Return what was measured on the heads of a model, None if nothing was."""
        return self._evidence.get(model.card.id)


def load_evidence(
    models: Registry, root: Path = BUILTIN_FOLDER
) -> tuple[EvaluatedRegistry, list[CheckpointError]]:
    """Read the evidence of every model, and the seed runs of the shipped models under `root`.

    A checkpoint whose evidence is damaged or belongs to other weights is left out; the second
    result says why. For a shipped model, `BrokenModelError` is raised.
    """
    accepted, evidence, errors = [], {}, []
    for model in models:
        try:
            record = read_evidence(model)
        except EvidenceError as error:
            if model.card.kind != "checkpoint":
                raise BrokenModelError(model.folder, str(error)) from error
            errors.append(checkpoint_error(model.folder, error))
            continue
        accepted.append(model)
        if record:
            evidence[model.card.id] = record
    return EvaluatedRegistry(accepted, evidence, read_seed_runs(root)), errors
