"""Settings, read from environment variables named `HEADWISE_…`."""

from os import pathsep
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_PACKAGE = Path(__file__).parent


def site_folder(name: str) -> Path:
    """Return the path of `lessons`, `templates` or `static`.

    The folder is inside the installed package, or next to it in a source tree.
    """
    installed = _PACKAGE / "site" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def split_origins(value: object) -> object:
    """Split the origins in an environment variable, which are separated by spaces."""
    return tuple(value.split()) if isinstance(value, str) else value


Origin = Annotated[
    str,
    StringConstraints(pattern=r"^(https?://[a-zA-Z0-9.-]+(:[0-9]{1,5})?|https?://\*\.[a-z.-]+)$"),
]
Origins = Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(split_origins)]


def split_paths(value: object) -> object:
    """Split the paths in an environment variable: separated by colons, on Windows by semicolons."""
    return tuple(filter(None, value.split(pathsep))) if isinstance(value, str) else value


Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(split_paths)]


class Settings(BaseSettings):
    """All settings. README.md lists them, and a test compares the two."""

    model_config = SettingsConfigDict(env_prefix="HEADWISE_", frozen=True)

    lessons: Path = Field(
        default_factory=lambda: site_folder("lessons"), description="Folder of the lessons."
    )
    checkpoints: Paths = Field(
        (),
        description="Checkpoint folders, or folders that contain them, separated by colons.",
    )
    embed_origins: Origins = Field(
        (), description="Origins that may embed a lab, separated by spaces."
    )
    cors_origins: Origins = Field(
        (), description="Origins whose scripts may read the API, separated by spaces."
    )
    api_per_minute: int = Field(
        600,
        gt=0,
        description="Maximum number of requests per minute for the API and files, per client"
        " address; above it the response is 429.",
    )
    cache_megabytes: int = Field(
        16,
        ge=0,
        description="Memory for cached responses and forward passes, in MB;"
        " 0 disables both caches.",
    )
    secret: SecretStr = Field(
        SecretStr(""),
        description="Key that signs assignments and completion codes;"
        " without it neither is signed.",
    )
    max_query_bytes: int = Field(
        32_768,
        gt=0,
        description="Maximum size of a query string in bytes; above it the response is 414.",
    )
    max_body_bytes: int = Field(
        65_536,
        ge=0,
        description="Maximum size of a request body in bytes; above it the response is 413.",
    )
