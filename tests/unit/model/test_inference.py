import json
import sys

import numpy as np
import pytest
import xgboost
from inference import (
    PayloadError,
    ServedModel,
    UnsupportedAcceptError,
    UnsupportedContentTypeError,
    predict,
    read_request,
    transform_fn,
    write_response,
)

from plumbline.drift.preprocessing import CategoricalColumn, NumericColumn, Preprocessor
from plumbline.local.aws.hosting import serving_container


@pytest.fixture(scope="module")
def model() -> ServedModel:
    """Two fields; the label is 1 when age is 40 or more, so that probabilities tell rows apart."""
    columns = (NumericColumn("age", 60.0), CategoricalColumn("job", "clerk", ("clerk", "smith, senior")))
    preprocessor = Preprocessor(columns, "income", "no", "yes")
    ages = [str(age) for age in range(20, 80)] * 3
    inputs = preprocessor.transform([[age, "clerk"] for age in ages])
    labels = np.array([int(age) >= 40 for age in ages], np.float32)
    parameters = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1}
    return ServedModel(preprocessor, xgboost.train(parameters, xgboost.DMatrix(inputs, labels), 10))


def answer(
    model: ServedModel, body: str | bytes, content_type: str = "text/csv", accept: str | None = "*/*"
) -> list[float]:
    text, media_type = write_response(predict(read_request(body, content_type), model), accept)
    if media_type == "text/csv":
        return [float(line) for line in text.splitlines()]
    return [entry["probability"] for entry in json.loads(text)["predictions"]]


def test_csv_rows_are_answered_one_per_line(model: ServedModel) -> None:
    old, young = answer(model, "70,clerk\n25,clerk")

    assert old > 0.5 > young


@pytest.mark.parametrize(
    "body",
    [
        "70,clerk\n",
        "70, clerk\r\n",
        b"70,clerk",
        '"70","clerk"',
        "\n70,clerk\n\n",
        "\ufeff70,clerk",
        "\ufeff70,clerk".encode(),
    ],
)
def test_spellings_of_one_csv_row_have_one_answer(model: ServedModel, body: str | bytes) -> None:
    assert answer(model, body) == answer(model, "70,clerk")


def test_quoted_field_may_hold_a_comma(model: ServedModel) -> None:
    assert len(answer(model, '70, "smith, senior"')) == 1


@pytest.mark.parametrize("missing", ["", "?", " ? "])
def test_missing_number_is_the_mean(model: ServedModel, missing: str) -> None:
    assert answer(model, f"{missing},clerk") == answer(model, "60,clerk")


@pytest.mark.parametrize(
    "document",
    [
        [[70, "clerk"], [25, None]],
        [["70", "clerk"], ["25", "?"]],
        [[70.0, " clerk "], [25, ""]],
        [{"age": 70, "job": "clerk"}, {"job": None, "age": 25}],
        {"instances": [[70, "clerk"], [25, "clerk"]]},
        {"instances": [{"age": 70, "job": "clerk"}, [25, None]]},
    ],
)
def test_json_rows_are_answered_as_the_csv_rows_are(model: ServedModel, document: object) -> None:
    assert answer(model, json.dumps(document), "application/json") == answer(model, "70,clerk\n25,clerk")


@pytest.mark.parametrize(
    ("content_type", "accept", "expected"),
    [
        ("text/csv", None, "text/csv"),
        ("text/csv", "*/*", "text/csv"),
        ("text/csv; charset=utf-8", "", "text/csv"),
        ("text/csv", "application/json", "application/json"),
        ("application/json", None, "application/json"),
        ("application/json", "text/csv", "text/csv"),
        ("application/json", "text/html, text/csv;q=0.9", "text/csv"),
    ],
)
def test_response_follows_accept_else_the_request(
    model: ServedModel, content_type: str, accept: str | None, expected: str
) -> None:
    body = '[[70, "clerk"]]' if "json" in content_type else "70,clerk"

    _, media_type = write_response(predict(read_request(body, content_type), model), accept)

    assert media_type == expected


def test_csv_and_json_responses_hold_the_same_numbers(model: ServedModel) -> None:
    assert answer(model, "70,clerk", accept="text/csv") == answer(model, "70,clerk", accept="application/json")


@pytest.mark.parametrize("content_type", ["application/x-npy", "text/plain", ""])
def test_unsupported_content_type_is_refused_by_name(content_type: str) -> None:
    expected = f"content type must be text/csv or application/json, got {content_type!r}"
    with pytest.raises(UnsupportedContentTypeError) as refusal:
        read_request("70,clerk", content_type)

    assert str(refusal.value) == expected
    assert refusal.value.status_code == 415


def test_unsupported_accept_is_refused_by_name(model: ServedModel) -> None:
    prediction = predict(read_request("70,clerk", "text/csv"), model)

    with pytest.raises(UnsupportedAcceptError, match="got 'image/png'"):
        write_response(prediction, "image/png")


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        ("", "text/csv", "at least one row"),
        ("\n\n", "text/csv", "at least one row"),
        ("[]", "application/json", "at least one row"),
        ('70,"clerk', "text/csv", "must be CSV without a header"),
        (b"\xff\xfe", "text/csv", "must be text in UTF-8"),
        ("{", "application/json", "must be JSON"),
        pytest.param("[" * 100_000, "application/json", "must be JSON", id="too deep"),
        pytest.param(f"[[{'1' * 5000}]]", "application/json", "must be JSON", id="too long a number"),
        ("7", "application/json", "must be a list of rows"),
        ('{"rows": []}', "application/json", "must be a list of rows"),
        ("[7]", "application/json", "row 1 must be a list or an object, got 7"),
        (
            '[[70, "clerk"], [[1], "clerk"]]',
            "application/json",
            r"row 2 must hold texts, numbers, booleans and null, got \[1\]",
        ),
    ],
)
def test_malformed_body_is_refused(body: str | bytes, content_type: str, message: str) -> None:
    with pytest.raises(PayloadError, match=message):
        read_request(body, content_type)


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        ("70", "text/csv", r"row 1 must have 2 fields \(age, job\), got 1"),
        ("70,clerk\nold,clerk", "text/csv", "row 2, field 'age' must be a finite number, got 'old'"),
        ('[[Infinity, "clerk"]]', "application/json", "field 'age' must be a finite number, got 'inf'"),
        ('[[true, "clerk"]]', "application/json", "field 'age' must be a finite number, got 'true'"),
        ('[{"age": 70, "work": "x"}]', "application/json", "missing: job; unknown: work"),
    ],
)
def test_rows_that_do_not_fit_the_model_are_refused(
    model: ServedModel, body: str, content_type: str, message: str
) -> None:
    with pytest.raises(PayloadError, match=message) as refusal:
        predict(read_request(body, content_type), model)

    assert refusal.value.status_code == 400


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status"),
    [
        ("70", "text/csv", "*/*", 400),
        ("old,clerk", "text/csv", "*/*", 400),
        ("70,\ufffd", "text/csv", "*/*", 400),
        (b"70,\xff", "text/csv; charset=utf-8", "*/*", 400),
        ("x", "image/png", "*/*", 415),
        ("70,clerk", "text/csv", "image/png", 406),
    ],
)
def test_a_clients_mistake_gets_a_response_of_the_image(
    model: ServedModel,
    monkeypatch: pytest.MonkeyPatch,
    body: str | bytes,
    content_type: str,
    accept: str,
    status: int,
) -> None:
    for name in ("sagemaker_containers", "beta", "framework", "worker"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    serving_container.install_framework()

    refused = transform_fn(model, body, content_type, accept)

    assert (refused.status, refused.mimetype) == (status, "application/json")
    assert json.loads(refused.response)["error-message"]


def test_a_request_that_can_be_answered_is(model: ServedModel) -> None:
    assert transform_fn(model, "70,clerk", "text/csv", None)[1] == "text/csv"


def test_a_fault_of_the_model_is_no_clients_mistake(model: ServedModel) -> None:
    broken = ServedModel(model.preprocessor, xgboost.Booster())
    with pytest.raises(xgboost.core.XGBoostError):
        transform_fn(broken, "70,clerk", "text/csv", None)
