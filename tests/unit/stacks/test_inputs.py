import gzip
import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from plumbline.contract.retraining import PipelineStep
from plumbline.stacks.config.errors import EnvironmentFileError
from plumbline.stacks.constructs.storage.source_archive import archive
from tests.unit.stacks.synthesis import (
    PARTS,
    ROOT,
    Assembly,
    champion,
    config,
    construct,
    environment,
    full,
    statement_of,
    statements,
    step,
    synthesize,
    text,
)


def asset_files(assembly: Assembly, packaging: str) -> list[Path]:
    """Return the staged sources of file assets of one packaging, without the templates."""
    found = set()
    for part in PARTS:
        manifest = json.loads((assembly.folder / f"plumbline-dev-{part}.assets.json").read_text())
        found |= {
            assembly.folder / entry["source"]["path"]
            for entry in manifest["files"].values()
            if entry["source"]["packaging"] == packaging and not entry["source"]["path"].endswith("template.json")
        }
    return sorted(found)


FUNCTIONS = "plumbline/functions"


def copy_of_repository(folder: Path) -> Path:
    for name in ("container", "contract", "lambda", "model", "plumbline", "starter"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True)
    return folder


def test_model_archive_keeps_the_suffix_that_sagemaker_asks_for() -> None:
    assert champion(environment(), "artifact").endswith(".tar.gz")


def test_model_artifact_in_s3_is_used_as_it_is() -> None:
    assert champion(full(), "artifact") == "s3://models/census/model.tar.gz"


def test_endpoint_may_read_its_s3_artifact_and_retrained_models_and_no_other() -> None:
    granted = statement_of(full(), "serving", "EndpointRole", "s3:GetObject")["Resource"]
    found = [text(arn) for arn in granted if "models" in text(arn)]
    assert [arn for arn in found if "Artifacts" not in arn] == ["arn:aws:s3:::models/census/model.tar.gz"]
    assert [arn.split(">")[1] for arn in found if "Artifacts" in arn] == ["/models/*"]


def test_prefixes_in_s3_end_in_a_slash_as_they_would_find_their_siblings_without() -> None:
    schedule = full().only("monitoring", "AWS::SageMaker::MonitoringSchedule")
    job = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinition"]
    assert job["MonitoringAppSpecification"]["ContainerArguments"][1] == "s3://models/census/baseline/"
    channels = {
        entry["ChannelName"]: entry["DataSource"]["S3DataSource"]["S3Uri"]
        for entry in step(full(), PipelineStep.TRAIN)["InputDataConfig"]
    }
    assert channels["train"] == "s3://rows/census/train/"
    assert channels["test"] == "s3://rows/census/test/"


def test_monitor_may_read_below_its_s3_baseline_and_its_model_only() -> None:
    granted = [
        text(arn)
        for entry in statements(full(), "monitoring", "MonitoringRole")
        if entry["Action"] == "s3:GetObject"
        for arn in entry["Resource"]
    ]
    assert {arn for arn in granted if "models" in arn and "Artifacts" not in arn} == {
        "arn:aws:s3:::models/census/baseline/*",
        "arn:aws:s3:::models/census/model.tar.gz",
    }


def test_local_baseline_travels_as_one_zip_object() -> None:
    schedule = environment().only("monitoring", "AWS::SageMaker::MonitoringSchedule")
    job = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinition"]
    assert text(job["MonitoringAppSpecification"]["ContainerArguments"][1]).endswith(".zip>")


def test_fails_when_a_local_input_does_not_exist() -> None:
    settings = config(model={"artifact": "starter/lost.tar.gz"})
    with pytest.raises(
        EnvironmentFileError, match=r"artifact must name an existing local path .* got 'starter/lost.tar"
    ):
        construct(settings)


def test_source_archive_is_flat_with_the_contract_beside() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive(ROOT))) as tar:
        names = set(tar.getnames())
    assert {
        "train.py",
        "inference.py",
        "plumbline/drift/preprocessing.py",
        "plumbline/contract/__init__.py",
        "plumbline/contract/training.py",
    } <= names
    assert "__init__.py" not in names
    assert not [name for name in names if "pycache" in name]


def test_source_archive_ignores_dates_and_modes(tmp_path: Path) -> None:
    copy = copy_of_repository(tmp_path)
    for path in copy.joinpath("model").glob("*.py"):
        path.chmod(0o600)
        os.utime(path, (1, 1))
    assert archive(copy) == archive(ROOT)


def test_source_archive_changes_with_the_source(tmp_path: Path) -> None:
    copy = copy_of_repository(tmp_path)
    copy.joinpath("model", "train.py").write_text("raise SystemExit(1)\n")
    assert archive(copy) != archive(ROOT)


def test_staged_source_archive_is_the_one_that_is_tested() -> None:
    archives = [path for path in asset_files(environment(), "file") if path.name.endswith(".tar.gz")]
    assert archive(ROOT) in [gzip.decompress(path.read_bytes()) for path in archives]


def test_image_context_holds_what_the_dockerfile_copies_and_nothing_of_the_rest() -> None:
    manifest = json.loads((environment().folder / "plumbline-dev-monitoring.assets.json").read_text())
    ((_, image),) = manifest["dockerImages"].items()
    context = environment().folder / image["source"]["directory"]
    assert {path.name for path in context.iterdir()} == {"container", "contract", "plumbline"}
    assert (context / "container" / "drift" / "cli.py").is_file()
    assert image["source"]["platform"] == "linux/amd64"
    assert (context / image["source"]["dockerFile"]).is_file()


def test_image_does_not_change_with_caches_beside_the_source(tmp_path: Path) -> None:
    copy = copy_of_repository(tmp_path)
    settings = config()
    before = _image(synthesize(settings, copy))
    cache = copy / "container" / "drift" / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "new.cpython-311.pyc").write_bytes(b"0")
    (copy / "container" / ".cache").mkdir()
    (copy / "notes.txt").write_text("beside the source")
    assert _image(synthesize(settings, copy)) == before
    (copy / "contract" / "names.py").write_text('"""Changed."""\n')
    assert _image(synthesize(settings, copy)) != before


def test_function_asset_holds_its_handler_and_copies_of_what_both_share() -> None:
    for package, other in (("retraining", "promotion"), ("promotion", "retraining")):
        (folder,) = (path for path in asset_files(environment(), "zip") if (path / FUNCTIONS / package).is_dir())
        files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        assert {f"{FUNCTIONS}/{package}/handler.py", f"{FUNCTIONS}/shared/state_store.py"} <= files
        assert {"plumbline/__init__.py", "plumbline/contract/names.py"} <= files
        assert {Path(name).suffix for name in files} == {".py"}
        assert not (folder / FUNCTIONS / other).exists()


def test_two_syntheses_are_byte_equal() -> None:
    first, second = synthesize(config()), synthesize(config())
    for part in PARTS:
        name = f"plumbline-dev-{part}.template.json"
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()


def _image(assembly: Assembly) -> str:
    manifest = json.loads((assembly.folder / "plumbline-dev-monitoring.assets.json").read_text())
    (digest,) = manifest["dockerImages"]
    return str(digest)
