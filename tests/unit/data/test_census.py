import hashlib
from collections import Counter
from collections.abc import Callable
from http.client import BadStatusLine
from pathlib import Path

import pytest

from plumbline.data import census
from plumbline.data.rows import LabelledRows

DATA = "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, Male, 2174, 0, 40, "
LINE = DATA + "United-States, <=50K\n"
TEST_LINE = DATA + "?, >50K.\n"

DATA_BYTES = (LINE * 60 + LINE.replace("39,", "50,") * 40).encode()
TEST_BYTES = ("|1x3 Cross validator\n" + TEST_LINE * 3 + "\n").encode()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A small archive in the place of the real one."""
    files = {census.ADULT_DATA: DATA_BYTES, census.ADULT_TEST: TEST_BYTES}
    checksums = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
    monkeypatch.setattr(census, "CHECKSUMS", checksums)
    return files


def save(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return folder


def server(files: dict[str, bytes]) -> Callable[[str], bytes]:
    return lambda url: files[url.rpartition("/")[2]]


def no_network(url: str) -> bytes:
    raise AssertionError(f"the archive was called for {url}")


def unreachable(url: str) -> bytes:
    raise OSError("no route to host")


def test_archive_format_is_parsed() -> None:
    rows = census.parse(TEST_BYTES.decode())

    assert len(rows) == 3
    assert rows.header == census.FEATURES
    assert rows.rows[0][:3] == ("39", "State-gov", "77516")
    assert rows.column("native-country") == ("?", "?", "?")
    assert set(rows.labels) == {">50K"}


@pytest.mark.parametrize("line", ["1, 2, <=50K", DATA + "United-States, maybe"])
def test_line_that_is_no_row_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 must have 14 fields and a label"):
        census.parse(LINE + line)


def test_given_folder_is_used(tmp_path: Path, published: dict[str, bytes]) -> None:
    found = census.acquire(save(tmp_path / "mine", published), fetch=no_network)

    assert found is not None
    assert len(found.data) == 100
    assert str(tmp_path / "mine") in found.origin


def test_given_folder_with_other_bytes_is_refused(tmp_path: Path, published: dict[str, bytes]) -> None:
    folder = save(tmp_path / "mine", published | {census.ADULT_DATA: DATA_BYTES + b"\n"})

    with pytest.raises(ValueError, match=r"adult\.data must be the archive's file \(SHA-256 .*; bring a fresh copy"):
        census.acquire(folder, fetch=no_network)


def test_given_folder_without_a_file_is_refused(tmp_path: Path, published: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r"must hold adult\.data and adult\.test, got no adult\.data"):
        census.acquire(tmp_path, fetch=no_network)


def test_cache_comes_before_the_neighbour(tmp_path: Path, published: dict[str, bytes]) -> None:
    cache, neighbour = save(tmp_path / "cache", published), save(tmp_path / "neighbour", published)

    found = census.acquire(cache=cache, neighbour=neighbour, fetch=no_network)

    assert found is not None
    assert str(cache) in found.origin


def test_damaged_cache_is_passed_over(
    tmp_path: Path, published: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    cache = save(tmp_path / "cache", published | {census.ADULT_TEST: b"cut short"})
    neighbour = save(tmp_path / "neighbour", published)

    found = census.acquire(cache=cache, neighbour=neighbour, fetch=no_network)

    assert found is not None
    assert str(neighbour) in found.origin
    assert "passed over" in caplog.text


def test_download_is_kept_for_the_next_time(tmp_path: Path, published: dict[str, bytes]) -> None:
    places = {"cache": tmp_path / "cache", "neighbour": tmp_path / "neighbour"}

    first = census.acquire(**places, fetch=server(published))
    second = census.acquire(**places, fetch=no_network)

    assert first is not None
    assert second is not None
    assert first.origin == "the UCI archive"
    assert (second.data, second.test) == (first.data, first.test)


def test_download_is_used_where_it_cannot_be_kept(
    tmp_path: Path, published: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")

    found = census.acquire(cache=tmp_path / "file" / "cache", neighbour=tmp_path, fetch=server(published))

    assert found is not None
    assert found.origin == "the UCI archive"
    assert "could not be kept" in caplog.text


def test_answer_that_is_no_http_is_as_good_as_none(tmp_path: Path, published: dict[str, bytes]) -> None:
    def fetch(url: str) -> bytes:
        raise BadStatusLine(url)

    assert census.acquire(cache=tmp_path, neighbour=tmp_path, fetch=fetch) is None


def test_download_with_other_bytes_is_not_used_and_not_kept(tmp_path: Path, published: dict[str, bytes]) -> None:
    fetch = server(published | {census.ADULT_DATA: b"<html>moved</html>"})

    assert census.acquire(cache=tmp_path / "cache", neighbour=tmp_path, fetch=fetch) is None
    assert not (tmp_path / "cache").exists()


def test_nothing_to_be_had_is_none_and_has_its_reason(
    tmp_path: Path, published: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    assert census.acquire(cache=tmp_path, neighbour=tmp_path, fetch=unreachable) is None
    assert "no route to host" in caplog.text


def test_without_a_fetch_nothing_is_downloaded(tmp_path: Path, published: dict[str, bytes]) -> None:
    assert census.acquire(cache=tmp_path, neighbour=tmp_path, fetch=None) is None


def test_download_returns_the_bytes_at_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "DOWNLOAD_LIMIT_BYTES", 5)

    assert census.download("data:,39,Private") == b"39,Pr"


def test_cache_follows_the_xdg_variable() -> None:
    assert census.cache_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/plumbline/census")
    assert census.cache_folder({}) == Path.home() / ".cache/plumbline/census"


def numbered(n: int, first: int) -> LabelledRows:
    rows = tuple((str(number), *("x",) * 13) for number in range(first, first + n))
    return LabelledRows(census.FEATURES, rows, ("<=50K",) * n)


def test_split_uses_every_row_once() -> None:
    whole = census.Census(numbered(100, 0), numbered(50, 1000), "here")

    parts = census.split(whole, seed=3)

    assert (len(parts.train), len(parts.test), len(parts.pool)) == (60, 20, 70)
    dealt = Counter(parts.train.rows + parts.test.rows + parts.pool.rows)
    assert dealt == Counter(whole.data.rows + whole.test.rows)


def test_split_depends_on_its_seed_alone() -> None:
    whole = census.Census(numbered(100, 0), numbered(5, 1000), "here")

    assert census.split(whole, 1) == census.split(whole, 1)
    assert census.split(whole, 1).train != census.split(whole, 2).train


def test_real_archive_has_its_published_size() -> None:
    found = census.acquire(fetch=None)
    if found is None:
        pytest.skip("no copy of Census Income on this machine; run `make demo` with a network once")

    assert (len(found.data), len(found.test)) == (32_561, 16_281)
    assert Counter(found.data.labels) == {"<=50K": 24_720, ">50K": 7_841}
    assert len(census.split(found, 0).test) >= 4_000
