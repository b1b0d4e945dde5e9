"""Stands for SageMaker's XGBoost image in script mode: one user module behind GET /ping and POST /invocations.

Runs as a script in the environment of the image's libraries and imports nothing of ours. The rules are those of
aws/sagemaker-xgboost-container (serving.py, encoder.py) and aws/sagemaker-containers (_transformer.py, _worker.py).
"""

import argparse
import csv
import importlib
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, Final

CSV: Final = "text/csv"
JSON: Final = "application/json"


class UnsupportedFormatError(Exception):
    """Raised by the container's own functions for a content type that they do not know.

    User functions have no part in it: the image wraps what they raise, and answers 500 (_functions.error_wrapper).
    """

    def __init__(self, content_type: str) -> None:
        super().__init__(f"Content type {content_type} is not supported by this framework.")


@dataclass(frozen=True)
class ContainerAnswer:
    """The answer to one request."""

    status: int
    content_type: str
    body: bytes


class Transformer:
    """The user module's functions around its model.

    Raises
    ------
    NotImplementedError
        If the module has no model_fn: the image has no default.
    ValueError
        If it has transform_fn together with input_fn, predict_fn or output_fn.
    """

    def __init__(self, module: ModuleType, model_dir: str) -> None:
        if not hasattr(module, "model_fn"):
            raise NotImplementedError("Please provide a model_fn implementation.")
        self._transform_fn = getattr(module, "transform_fn", None)
        rivals = [name for name in ("input_fn", "predict_fn", "output_fn") if hasattr(module, name)]
        if self._transform_fn and rivals:
            raise ValueError("Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn")
        self._input_fn: Callable[..., Any] = getattr(module, "input_fn", default_input_fn)
        self._predict_fn: Callable[..., Any] = getattr(module, "predict_fn", default_predict_fn)
        self._output_fn: Callable[..., Any] = getattr(module, "output_fn", default_output_fn)
        self._model = module.model_fn(model_dir)

    def transform(self, content: bytes, content_type: str, accept: str) -> ContainerAnswer:
        """Answer one request. A text type that is named without parameters reaches input_fn as str."""
        data: Any = content.decode("utf-8", errors="replace") if content_type in (CSV, JSON) else content
        if self._transform_fn:
            return _response(self._transform_fn(self._model, data, content_type, accept))
        try:
            decoded = self._input_fn(data, content_type)
        except UnsupportedFormatError as error:
            return _refusal(error, 415)
        prediction = self._predict_fn(decoded, self._model)
        try:
            return _response(self._output_fn(prediction, accept))
        except UnsupportedFormatError as error:
            return _refusal(error, 406)


def default_input_fn(data: Any, content_type: str) -> Any:
    """Decode text/csv into a DMatrix as the image does: the delimiter is sniffed, empty cells are missing."""
    import numpy
    import xgboost

    if content_type.split(";", maxsplit=1)[0].strip() != CSV:
        raise UnsupportedFormatError(content_type)
    text = data.decode("utf-8") if isinstance(data, bytes) else data
    sniffed = csv.Sniffer().sniff(text.split("\n")[0][:512]).delimiter
    delimiter = "," if sniffed.isalnum() else sniffed
    rows = [["nan" if cell == "" else cell for cell in line.split(delimiter)] for line in text.split("\n")]
    return xgboost.DMatrix(numpy.array(rows).astype(float))


def default_predict_fn(data: Any, model: Any) -> Any:
    """Predict without checking feature names, as the image does."""
    return model.predict(data, validate_features=False)


def default_output_fn(prediction: Any, accept: str) -> tuple[str, str]:
    """Encode an array as CSV or JSON."""
    rows = prediction.tolist() if hasattr(prediction, "tolist") else prediction
    if accept == JSON:
        return json.dumps(rows), accept
    if accept == CSV:
        return "".join(",".join(map(str, row if isinstance(row, list) else [row])) + "\n" for row in rows), accept
    raise UnsupportedFormatError(accept)


class Response:
    """Stands for sagemaker_containers' worker.Response, with which a user function chooses a status itself."""

    def __init__(
        self,
        response: str | bytes = b"",
        accept: str | None = None,
        status: int = 200,
        headers: Any = None,
        mimetype: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        if accept or headers or direct_passthrough:
            raise NotImplementedError("the embedded AWS knows a response's body, status and mimetype only")
        self.response, self.status, self.mimetype = response, status, mimetype or JSON


def install_framework() -> None:
    """Let the user module import `sagemaker_containers.beta.framework.worker`, of which it gets `Response`."""
    name = ""
    for part in ("sagemaker_containers", "beta", "framework", "worker"):
        parent, name = sys.modules.get(name), f"{name}.{part}".lstrip(".")
        module = sys.modules[name] = ModuleType(name)
        if parent:
            setattr(parent, part, module)
    vars(module)["Response"] = Response


def _response(result: Any) -> ContainerAnswer:
    """Turn what a user function returned into a response; Flask adds the charset to every text type."""
    if isinstance(result, Response):
        return _answered(result.status, result.mimetype, result.response)
    body, mimetype = result if isinstance(result, tuple) else (result, "text/html")
    return _answered(200, mimetype, body)


def _answered(status: int, mimetype: str, body: str | bytes) -> ContainerAnswer:
    content_type = f"{mimetype}; charset=utf-8" if mimetype.startswith("text/") else mimetype
    return ContainerAnswer(status, content_type, body.encode("utf-8") if isinstance(body, str) else bytes(body))


def _refusal(error: UnsupportedFormatError, status: int) -> ContainerAnswer:
    body = {"error": type(error).__name__, "error-message": str(error)}
    return ContainerAnswer(status, JSON, json.dumps(body).encode("utf-8"))


def handler_class(transformer: Transformer, default_accept: str) -> type[BaseHTTPRequestHandler]:
    """Return the request handler that serves `transformer`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(ContainerAnswer(200 if self.path == "/ping" else 404, JSON, b""))

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path != "/invocations":
                self._answer(ContainerAnswer(404, JSON, b""))
                return
            accept = self.headers.get("Accept") or "*/*"
            try:
                response = transformer.transform(
                    content, self.headers.get("Content-Type") or JSON, default_accept if accept == "*/*" else accept
                )
            except Exception:
                traceback.print_exc()
                response = ContainerAnswer(500, "text/html; charset=utf-8", b"Internal Server Error")
            self._answer(response)

        def _answer(self, response: ContainerAnswer) -> None:
            self.send_response(response.status)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Log no requests: the log is for errors."""

    return Handler


class Server(ThreadingHTTPServer):
    """Serves each connection on a thread; a burst of new ones is queued, not rejected."""

    request_queue_size = 128


def load(code_dir: str, program: str, model_dir: str) -> Transformer:
    """Import the user module from its folder and let it load the model."""
    sys.path.insert(0, code_dir)
    return Transformer(importlib.import_module(program.removesuffix(".py")), model_dir)


def _exit_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


def main() -> None:
    """Load the model, then serve on a free loopback port whose number is left in a file."""
    parser = argparse.ArgumentParser()
    for name in ("--model-dir", "--code-dir", "--program", "--port-file"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    install_framework()
    transformer = load(options.code_dir, options.program, options.model_dir)
    accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)
    server = Server(("127.0.0.1", 0), handler_class(transformer, accept))
    written = Path(options.port_file + ".new")
    written.write_text(str(server.server_port), encoding="ascii")
    written.replace(options.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
