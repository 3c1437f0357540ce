from dataclasses import dataclass, field

from app.lesson.json_fields import NOT_IN_JSON, json_fields, json_name


@dataclass
class Result:
    total: int
    max_change: float = field(metadata=json_name("moved"))
    state: object = field(metadata=NOT_IN_JSON)


def test_fields_have_their_names_in_json_and_some_have_none():
    assert json_fields(Result(1, 0.5, object())) == {"total": 1, "moved": 0.5}
