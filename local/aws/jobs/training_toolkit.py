"""Stands for the SageMaker training toolkit in script mode: runs a user script with the SM_* environment.

Runs as a script in the environment of the image's libraries and imports nothing of ours. The rules are those of
aws/sagemaker-containers (_env.py, _mapping.py): hyperparameters are JSON-decoded where they can be, those that start
with ``sagemaker_`` are the platform's, the others become ``--key value``, sorted by key.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

_PLATFORM_PREFIX: Final = "sagemaker_"
_MAX_FAILURE: Final = 1024


def hyperparameters(raw: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the platform's hyperparameters and the user's, decoded."""
    decoded = {key: _decoded(value) for key, value in raw.items()}
    platform = {key: value for key, value in decoded.items() if key.startswith(_PLATFORM_PREFIX)}
    return platform, {key: value for key, value in decoded.items() if key not in platform}


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def arguments(user: dict[str, Any]) -> list[str]:
    """Return the command line of the user's hyperparameters."""
    pairs = ((f"--{key}" if len(key) > 1 else f"-{key}", _text(user[key])) for key in sorted(user))
    return [item for pair in pairs for item in pair]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={value[key]}" for key in sorted(value))
    return "" if value is None else str(value)


def environment(root: Path, raw: dict[str, str], channels: list[str]) -> dict[str, str]:
    """Return the SM_* variables of a job below `root`, the platform's folder."""
    platform, user = hyperparameters(raw)
    plain: dict[str, Any] = {
        "model_dir": str(root / "model"),
        "input_dir": str(root / "input"),
        "input_config_dir": str(root / "input" / "config"),
        "output_dir": str(root / "output"),
        "output_data_dir": str(root / "output" / "data"),
        "channels": sorted(channels),
        "hosts": ["algo-1"],
        "current_host": "algo-1",
        "num_cpus": os.cpu_count() or 1,
        "num_gpus": 0,
        "hps": user,
        "user_args": arguments(user),
        "module_name": str(platform["sagemaker_program"]).removesuffix(".py"),
        "module_dir": platform["sagemaker_submit_directory"],
        "user_entry_point": platform["sagemaker_program"],
        **{f"channel_{name}": str(root / "input" / "data" / name) for name in channels},
        **{f"hp_{key}": value for key, value in user.items()},
    }
    return {f"SM_{key.upper()}": value if isinstance(value, str) else _json(value) for key, value in plain.items()}


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))


def main() -> int:
    """Run the script named by the job's hyperparameters and write the reason of a failure to output/failure."""
    root = Path(os.environ["SAGEMAKER_BASE_DIR"])
    config = root / "input" / "config"
    raw = json.loads((config / "hyperparameters.json").read_text(encoding="utf-8"))
    channels = list(json.loads((config / "inputdataconfig.json").read_text(encoding="utf-8")))
    variables = environment(root, raw, channels)
    command = [sys.executable, "-m", variables["SM_MODULE_NAME"], *arguments(hyperparameters(raw)[1])]
    code = subprocess.run(  # noqa: S603 - the user's own script, as on SageMaker
        command, cwd=root / "code", env={**os.environ, **variables}, check=False
    ).returncode
    failure = root / "output" / "failure"
    if code and not failure.exists():
        shown = " ".join(command[1:])
        failure.write_text(f'ExecuteUserScriptError:\nCommand "python {shown}"'[:_MAX_FAILURE], encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
