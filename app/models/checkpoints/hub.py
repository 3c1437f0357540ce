"""Checkpoints from a hub, by the package `huggingface_hub`. Pickles are never fetched."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

from app.models.checkpoints.errors import CheckpointError
from app.models.checkpoints.loader import TOKENIZER_FILE, read_checkpoint
from app.models.checkpoints.safetensors_reader import (
    INDEX_FILE,
    PICKLE_PATTERNS,
    WEIGHTS_FILE,
    shard_names,
)
from app.models.model import Model

DEFAULT_ROOT = Path("checkpoints")
"""Where models go unless it is said."""

TIMEOUT_SECONDS = 30
"""The hub must begin to answer within so many."""

HTTP_CLIENTS = ("httpx", "httpx2")
"""What the package asks by; its errors are not among the package's own."""


class HubError(Exception):
    """Nothing that can be used was fetched; the message says why, and the way out."""


def default_folder(name: str) -> Path:
    return DEFAULT_ROOT / name.rpartition("/")[2]


def download_checkpoint(name: str, folder: Path, revision: str | None = None) -> Model:
    """Fetches what is needed of a model, and reads it. Raises `HubError`."""
    hub = import_hub()
    try:
        with translate_errors(hub, name, folder, revision):
            _download(hub, name, folder, revision)
        return read_checkpoint(folder)
    except CheckpointError as error:
        raise HubError(
            f"Headwise cannot read it: {error}. Its files stay where they are."
        ) from error


def _download(hub: ModuleType, name: str, folder: Path, revision: str | None) -> None:
    info = hub.HfApi().model_info(name, revision=revision, timeout=TIMEOUT_SECONDS)
    files = files_to_download(name, [file.rfilename for file in info.siblings or ()])
    # What was looked at, even if somebody uploads another in between.
    commit = info.sha or revision
    check_same_revision(folder, commit or "")

    def download(patterns: list[str]) -> None:
        hub.snapshot_download(name, revision=commit, local_dir=folder, allow_patterns=patterns)

    if INDEX_FILE in files:
        download([INDEX_FILE])
        files = [*files, *shard_names(folder)]
    download(files)


def check_same_revision(folder: Path, commit: str) -> None:
    """Raises `HubError` for a folder that holds files of another model or revision: what is fetched
    would stand among them, and might not be what is read.
    """
    existing = [folder / "config.json", folder / TOKENIZER_FILE, folder / INDEX_FILE]
    existing += folder.glob("*.safetensors")
    if any(file.is_file() and downloaded_commit(file) != commit for file in existing):
        raise HubError(
            f"{folder} holds files of another model, or of another revision of this one, so nothing"
            " was downloaded. Name another folder by --to, or delete it."
        )


def downloaded_commit(file: Path) -> str | None:
    """The commit that a file was fetched at, as the package notes it beside; None if it was not."""
    metadata = file.parent / ".cache" / "huggingface" / "download" / f"{file.name}.metadata"
    try:
        return metadata.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except (OSError, ValueError):
        return None


def import_hub() -> ModuleType:
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


def files_to_download(name: str, names: Sequence[str]) -> list[str]:
    """Of a repository's files those that are read, except for the parts that an index names. Raises
    `HubError` if one is lacking.
    """
    nothing = "so nothing was downloaded"
    weights = weights_or_index(names)
    pickles = [file for file in names if any(fnmatch(file, pattern) for pattern in PICKLE_PATTERNS)]
    if not weights and pickles:
        raise HubError(
            f"{name} has only pickled weights ({pickles[0]}), and a pickle can run any program,"
            f" {nothing}. Look for a --revision or for another model with {WEIGHTS_FILE}."
        )
    if not weights:
        raise HubError(
            f"{name} has no {WEIGHTS_FILE}, {nothing}. Look for another model that has one."
        )
    if "config.json" not in names:
        raise HubError(f"{name} has no config.json, {nothing}. Look for another model.")
    if TOKENIZER_FILE not in names:
        raise HubError(
            f"{name} has no {TOKENIZER_FILE}, {nothing}."
            f" transformers writes one into a folder of its"
            f' files: AutoTokenizer.from_pretrained("{name}").save_pretrained(folder)'
        )
    return ["config.json", TOKENIZER_FILE, *weights]


def weights_or_index(names: Sequence[str]) -> list[str]:
    """The file of all weights, else the index of their parts."""
    return [file for file in (WEIGHTS_FILE, INDEX_FILE) if file in names][:1]


@contextmanager
def translate_errors(
    hub: ModuleType, name: str, folder: Path, revision: str | None
) -> Iterator[None]:
    """What the package raises, as one plain sentence."""
    errors, url = hub.errors, hub.constants.ENDPOINT
    unreachable = (
        f"{url} cannot be reached. Look whether there is a network, or fetch the model on a"
        " machine that has one and copy its folder here."
    )
    try:
        yield
    except (HubError, CheckpointError):
        raise
    except errors.HFValidationError:
        raise HubError(
            f"{name!r} is no name of a model; such are bert-base-uncased and owner/model."
        ) from None
    except errors.GatedRepoError:
        raise HubError(
            f"{name} is open only to those whom its owners let in. Ask at {url}/{name}, then log"
            " in: hf auth login"
        ) from None
    except errors.RepositoryNotFoundError:
        raise HubError(
            f"There is no model {name} at {url}, or it is private. Look its name up there; for a"
            " private one log in: hf auth login"
        ) from None
    except errors.RevisionNotFoundError:
        raise HubError(
            f"{name} has no revision {revision}. Leave --revision out, or look it up at"
            f" {url}/{name}."
        ) from None
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError):
        raise HubError(unreachable) from None
    except errors.HfHubHTTPError as error:
        raise HubError(f"{url} answered {error.response.status_code}. Try again later.") from None
    except OSError as error:
        raise HubError(f"{folder} cannot be written: {error.strerror or error}.") from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] in HTTP_CLIENTS:
            raise HubError(unreachable) from None
        # A hub, or what answers in its place, may say anything.
        raise HubError(f"{name} could not be fetched from {url}: {error!r}") from error
