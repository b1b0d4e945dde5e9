import importlib
import json
import sys
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


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        raise error

    return fail


class RefusalError(ValueError):
    status_code = 415


@pytest.mark.parametrize("error", [ValueError("bad row"), RefusalError("no such type")])
@pytest.mark.parametrize("name", ["input_fn", "predict_fn", "output_fn", "transform_fn"])
def test_every_error_of_a_user_function_is_left_to_the_server(name: str, error: Exception) -> None:
    """Seen in AWS's own code: whatever a user function raises, the client reads 500."""
    with_defaults: dict[str, Any] = {} if name == "transform_fn" else {"input_fn": lambda data, kind: data}
    functions = {**with_defaults, "predict_fn": lambda data, model: data, name: raising(error)}
    if name == "transform_fn":
        del functions["predict_fn"]
    with pytest.raises(type(error)):
        Transformer(module(**functions), "/model").transform(b"", "text/csv", "text/csv")


def test_defaults_answer_415_and_406_for_a_type_that_they_do_not_know() -> None:
    refused = Transformer(module(), "/model").transform(b"", "image/png", "text/csv")
    assert refused.status == 415
    assert json.loads(refused.body)["error"] == "UnsupportedFormatError"

    answered = module(input_fn=lambda data, kind: data, predict_fn=lambda data, model: [0.5])
    assert Transformer(answered, "/model").transform(b"", "text/csv", "image/png").status == 406


def test_a_user_function_chooses_a_status_with_the_images_response(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sagemaker_containers", "beta", "framework", "worker"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    serving_container.install_framework()
    worker = importlib.import_module("sagemaker_containers.beta.framework.worker")
    chosen = module(transform_fn=lambda *_: worker.Response(response="no", status=400, mimetype="text/plain"))

    answer = Transformer(chosen, "/model").transform(b"x", "text/csv", "text/csv")

    assert (answer.status, answer.content_type, answer.body) == (400, "text/plain; charset=utf-8", b"no")


def test_bytes_that_are_no_text_are_replaced_as_flask_does() -> None:
    response = Transformer(echo(), "/model").transform(b"1,\xff", "text/csv", "application/json")

    assert json.loads(response.body)[0] == "1,\ufffd"


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
