"""The champions of one endpoint: which model serves, since when, and the baseline that belongs to it.

The promotion function writes it, as `CHAMPION_HISTORY` below `Prefix.CHAMPION` of the artifacts bucket; the monitoring
job and the command line read it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from plumbline.contract.decoding import decode, read_json

HISTORY_VERSION = 1
CHAMPION_HISTORY = "history.json"


@dataclass(frozen=True)
class Champion:
    """A model that serves or served, with its baseline.

    Parameters
    ----------
    artifact, baseline
        s3:// URIs of model.tar.gz, and of the folder or archive with the baseline.
    model_package
        ARN of the version in the registry; None: deployed from the environment file.
    changing_from
        When the endpoint began to change to it, ISO 8601 in UTC with Z; None: it is the first there is.
    live_from
        When it alone began to serve; None as above.
    cause
        What triggered its deployment, for people.
    """

    artifact: str
    baseline: str
    model_package: str | None = None
    changing_from: str | None = None
    live_from: str | None = None
    cause: str = ""


@dataclass(frozen=True)
class ChampionHistory:
    """Every champion, oldest first; the last one serves.

    `changing_from` is since when the endpoint changes to a model that does not serve alone yet; None: it does not.
    """

    champions: tuple[Champion, ...]
    changing_from: str | None = None
    version: int = HISTORY_VERSION

    @property
    def live(self) -> Champion:
        """The model that serves."""
        return self.champions[-1]

    def serving(self, start: str, end: str) -> Champion | None:
        """Return the model that alone served from `start` until `end`, or None if the model changed meanwhile.

        Times are ISO 8601 in UTC with Z.

        Examples
        --------
        >>> old = Champion("s3://a/1.tar.gz", "s3://a/1")
        >>> new = Champion("s3://a/2.tar.gz", "s3://a/2", None, "2026-01-31T10:20:00Z", "2026-01-31T10:40:00Z")
        >>> history = ChampionHistory((old, new))
        >>> hours = [f"2026-01-31T{hour:02}:00:00Z" for hour in (9, 10, 11, 12)]
        >>> [history.serving(*window) for window in zip(hours, hours[1:])] == [old, None, new]
        True
        """
        first, last = _moment(start), _moment(end)
        for champion, leaves in zip(reversed(self.champions), reversed(self._leaving()), strict=True):
            if champion.live_from is None or _moment(champion.live_from) <= first:
                return champion if leaves is None or last <= _moment(leaves) else None
            if champion.changing_from is None or _moment(champion.changing_from) < last:
                return None
        return None

    def _leaving(self) -> Sequence[str | None]:
        """Return for each champion when the endpoint began to change to the next; None: it has not."""
        return [*(champion.changing_from for champion in self.champions[1:]), self.changing_from]

    def changing(self, moment: str) -> "ChampionHistory":
        """Return the history of an endpoint that changes since `moment`, or since earlier if it did already."""
        return self if self.changing_from else replace(self, changing_from=moment)

    def settled(self, champion: Champion, moment: str) -> "ChampionHistory":
        """Return the history of an endpoint that since `moment` is served by `champion` alone.

        The same model as before is no change, even if it was deployed again.
        """
        if (champion.artifact, champion.baseline) == (self.live.artifact, self.live.baseline):
            return replace(self, changing_from=None)
        new = replace(champion, changing_from=self.changing_from or moment, live_from=moment)
        return ChampionHistory((*self.champions, new))

    def to_json(self) -> str:
        """Return the file's text; `from_json` reads it."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ChampionHistory":
        """Read the file's text.

        Raises
        ------
        ValueError
            If it is no history of this version, or holds no champion.
        """
        history = decode(cls, read_json(text))
        if history.version != HISTORY_VERSION:
            raise ValueError(f"a champion history must be of version {HISTORY_VERSION}, got {history.version}")
        if not history.champions:
            raise ValueError("a champion history must name at least one champion, got none")
        return history


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
