"""Checkpoints from a hub, by the package `huggingface_hub`. Pickles are never fetched."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

from app.models.checkpoints.errors import CheckpointError
from app.models.checkpoints.load import TOKENIZER, read_checkpoint
from app.models.checkpoints.tensors import INDEX, PICKLES, WHOLE
from app.models.registry import Model

CHECKPOINTS = Path("checkpoints")
"""Where models go unless it is said."""

SECONDS = 30
"""The hub must begin to answer within so many."""

CLIENTS = ("httpx", "httpx2")
"""What the package asks by; its errors are not among the package's own."""


class HubError(Exception):
    """Nothing that can be used was fetched; the message says why, and the way out."""


def default_folder(name: str) -> Path:
    return CHECKPOINTS / name.rpartition("/")[2]


def add(name: str, folder: Path, revision: str | None = None) -> Model:
    """Fetches what is needed of a model, and reads it. Raises `HubError`."""
    hub = package()
    with told(hub, name, folder, revision):
        info = hub.HfApi().model_info(name, revision=revision, timeout=SECONDS)
        names = [file.rfilename for file in info.siblings or ()]
        hub.snapshot_download(
            name,
            # What was looked at, even if somebody uploads another in between.
            revision=info.sha or revision,
            local_dir=folder,
            allow_patterns=wanted(name, names),
        )
    try:
        return read_checkpoint(folder)
    except CheckpointError as error:
        raise HubError(
            f"Headwise cannot read it: {error}. Its files stay where they are."
        ) from error


def package() -> ModuleType:
    try:
        # Optional, and its parts are there only once they are asked for.
        import huggingface_hub.constants  # noqa: PLC0415
        import huggingface_hub.errors  # noqa: PLC0415
    except ImportError:
        raise HubError(
            "Models are fetched by the package huggingface_hub, which is not installed."
            ' Install it: pip install "headwise[hub]", or in Headwise\'s own folder'
            ' pip install ".[hub]"'
        ) from None
    return huggingface_hub


def wanted(name: str, names: Sequence[str]) -> list[str]:
    """Of a repository's files those that are read. Raises `HubError` if one is lacking."""
    nothing = "so nothing was downloaded"
    weights = weights_among(names)
    pickles = [file for file in names if any(fnmatch(file, pattern) for pattern in PICKLES)]
    if not weights and pickles:
        raise HubError(
            f"{name} has only pickled weights ({pickles[0]}), and a pickle can run any program,"
            f" {nothing}. Look for a --revision or for another model with {WHOLE}."
        )
    if not weights:
        raise HubError(f"{name} has no {WHOLE}, {nothing}. Look for another model that has one.")
    if "config.json" not in names:
        raise HubError(f"{name} has no config.json, {nothing}. Look for another model.")
    if TOKENIZER not in names:
        raise HubError(
            f"{name} has no {TOKENIZER}, {nothing}. transformers writes one into a folder of its"
            f' files: AutoTokenizer.from_pretrained("{name}").save_pretrained(folder)'
        )
    return ["config.json", TOKENIZER, *weights]


def weights_among(names: Sequence[str]) -> list[str]:
    if WHOLE in names:
        return [WHOLE]
    if INDEX in names:
        return [INDEX, *(file for file in names if fnmatch(file, "model*.safetensors")
                         and "/" not in file)]  # fmt: skip
    return []


@contextmanager
def told(hub: ModuleType, name: str, folder: Path, revision: str | None) -> Iterator[None]:
    """What the package raises, as one plain sentence."""
    errors, where = hub.errors, hub.constants.ENDPOINT
    unreachable = (
        f"{where} cannot be reached. Look whether there is a network, or fetch the model on a"
        " machine that has one and copy its folder here."
    )
    try:
        yield
    except HubError:
        raise
    except errors.HFValidationError:
        raise HubError(
            f"{name!r} is no name of a model; such are bert-base-uncased and owner/model."
        ) from None
    except errors.GatedRepoError:
        raise HubError(
            f"{name} is open only to those whom its owners let in. Ask at {where}/{name}, then log"
            " in: hf auth login"
        ) from None
    except errors.RepositoryNotFoundError:
        raise HubError(
            f"There is no model {name} at {where}, or it is private. Look its name up there; for a"
            " private one log in: hf auth login"
        ) from None
    except errors.RevisionNotFoundError:
        raise HubError(
            f"{name} has no revision {revision}. Leave --revision out, or look it up at"
            f" {where}/{name}."
        ) from None
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError):
        raise HubError(unreachable) from None
    except errors.HfHubHTTPError as error:
        raise HubError(f"{where} answered {error.response.status_code}. Try again later.") from None
    except OSError as error:
        raise HubError(f"{folder} cannot be written: {error.strerror or error}.") from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] in CLIENTS:
            raise HubError(unreachable) from None
        # A hub, or what answers in its place, may say anything.
        raise HubError(f"{name} could not be fetched from {where}: {error!r}") from error
