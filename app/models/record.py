"""Base class of the records that are stored as JSON."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable record. Fields may have a JSON name as alias; unknown fields are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True
    )
