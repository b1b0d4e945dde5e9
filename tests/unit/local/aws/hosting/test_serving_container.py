import json
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plumbline.local.aws.hosting import serving_container
from plumbline.local.aws.hosting.serving_container import Transformer, load


def module(**functions: Any) -> types.ModuleType:
    made = types.ModuleType("inference")
    vars(made).update({"model_fn": lambda folder: "the model", **functions})
    return made


def echo() -> types.ModuleType:
    return module(
        input_fn=lambda data, content_type: (data, content_type),
        predict_fn=lambda data, model: [*data, model],
        output_fn=lambda prediction, accept: (json.dumps([str(item) for item in prediction]), accept),
    )


def test_functions_get_what_the_image_gives_them() -> None:
    response = Transformer(echo(), "/model").transform(b"1,2", "text/csv", "application/json")

    assert response.status == 200
    assert response.content_type == "application/json"
    assert json.loads(response.body) == ["1,2", "text/csv", "the model"]


@pytest.mark.parametrize(
    ("content_type", "shown"), [("text/csv", "1,2"), ("text/csv; charset=utf-8", "b'1,2'"), ("image/png", "b'1,2'")]
)
def test_only_bare_text_types_are_decoded(content_type: str, shown: str) -> None:
    response = Transformer(echo(), "/model").transform(b"1,2", content_type, "application/json")

    assert json.loads(response.body)[0] == shown


def test_text_responses_get_a_charset() -> None:
    response = Transformer(echo(), "/model").transform(b"", "text/csv", "text/csv")

    assert response.content_type == "text/csv; charset=utf-8"


def test_fails_without_model_fn() -> None:
    with pytest.raises(NotImplementedError, match="model_fn"):
        Transformer(types.ModuleType("inference"), "/model")


def test_fails_when_transform_fn_has_rivals() -> None:
    with pytest.raises(ValueError, match="Cannot use transform_fn"):
        Transformer(module(transform_fn=lambda *a: ("", ""), input_fn=lambda *a: None), "/model")


def test_transform_fn_does_everything() -> None:
    transform = module(transform_fn=lambda model, data, content_type, accept: (f"{model} {data}", accept))

    assert Transformer(transform, "/model").transform(b"x", "text/csv", "text/csv").body == b"the model x"


class UnsupportedFormatError(Exception):
    pass


class RefusalError(ValueError):
    def __init__(self, status_code: int) -> None:
        super().__init__("no such type")
        self.status_code = status_code


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("error", [UnsupportedFormatError("no such type"), RefusalError(415)])
def test_unsupported_content_type_is_415(error: Exception) -> None:
    response = Transformer(module(input_fn=raising(error)), "/model").transform(b"", "image/png", "text/csv")

    assert response.status == 415
    assert json.loads(response.body) == {"error": type(error).__name__, "error-message": "no such type"}


def test_unsupported_accept_is_406() -> None:
    functions = module(
        input_fn=lambda data, kind: data, predict_fn=lambda data, model: data, output_fn=raising(RefusalError(406))
    )

    assert Transformer(functions, "/model").transform(b"", "text/csv", "image/png").status == 406


@pytest.mark.parametrize("error", [ValueError("bad row"), RefusalError(400)])
def test_every_other_error_is_left_to_the_server(error: Exception) -> None:
    with pytest.raises(type(error)):
        Transformer(module(input_fn=raising(error)), "/model").transform(b"", "text/csv", "text/csv")


def test_default_csv_decoder_reads_empty_cells_as_missing() -> None:
    matrix = serving_container.default_input_fn("1,,3\n4,5,6", "text/csv")

    assert (matrix.num_row(), matrix.num_col(), matrix.num_nonmissing()) == (2, 3, 5)


def test_fails_by_name_for_a_type_without_default() -> None:
    with pytest.raises(serving_container.UnsupportedFormatError, match="image/png"):
        serving_container.default_input_fn(b"", "image/png")


@pytest.mark.parametrize(("accept", "body"), [("text/csv", "0.5\n0.25\n"), ("application/json", "[0.5, 0.25]")])
def test_default_encoder_writes_csv_and_json(accept: str, body: str) -> None:
    assert serving_container.default_output_fn([0.5, 0.25], accept) == (body, accept)


def test_user_module_finds_its_neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "served_by_test.py").write_text("import neighbour_of_test\ndef model_fn(d): return d\n")
    (tmp_path / "neighbour_of_test.py").write_text("")
    monkeypatch.setattr("sys.path", [])

    assert isinstance(load(str(tmp_path), "served_by_test.py", "/model"), Transformer)
