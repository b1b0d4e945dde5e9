"""Messages for people: what happened, why, and what they can do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contract.retraining import Lineage
from promotion.facts import ApprovalStatus, Version
from promotion.state import Target


@dataclass(frozen=True)
class Message:
    """A subject in one line, and the text below it."""

    subject: str
    text: str


@dataclass(frozen=True)
class Words:
    """The messages of one environment."""

    environment: str
    endpoint: str

    def gate(self, version: Version, metadata: Mapping[str, str], table: str, held: str | None) -> Message:
        """Return what the gate said of a version; `table` is the evaluation, `held` why the loop is switched off."""
        cause = metadata.get(Lineage.CAUSE, "unknown")
        opening = f"Version {version.number} was trained for the endpoint {self.endpoint}. Cause: {cause}."
        match version.approval:
            case ApprovalStatus.APPROVED:
                what = "it passed the gate and is approved. It is promoted as soon as the endpoint is free."
                if held:
                    what = f"it passed the gate and is approved, and is not promoted: {held}."
                return self._message(
                    f"challenger {version.number} accepted", [opening, f"Decision: {what}", table, self._stop(version)]
                )
            case ApprovalStatus.PENDING:
                what = "Decision: it passed the gate. It waits for approval; the champion serves on."
                todo = f"To let it serve: {self._command(f'promote {version.number}')}"
                return self._message(
                    f"challenger {version.number} waits for approval", [opening, what, table, f"What to do: {todo}"]
                )
            case _:
                what = "Decision: it is rejected and will not serve. The champion and its baseline stay."
                todo = "What to do: nothing at once; when this repeats, look at the fresh labels and the slices below."
                return self._message(f"challenger {version.number} rejected", [opening, what, todo, table])

    def held(self, target: Target, why: str) -> Message:
        """Return that an approved version is not promoted."""
        todo = (
            f"What to do: plumbline retrain --on --environment {self.environment}, or promote this one alone: "
            f"{self._command(f'promote {target.version}')}"
        )
        return self._message(
            f"{target.name} is held back", [f"{_named(target)} is approved and not promoted: {why}.", todo]
        )

    def promoted(self, target: Target) -> Message:
        """Return that the target serves."""
        undo = f"What to do if it disappoints: {self._command('rollback')}"
        return self._message(
            f"{target.name} serves",
            [f"{_named(target)} serves at the endpoint {self.endpoint}, verified.", *self._model(target), undo],
        )

    def returned(self, target: Target) -> Message:
        """Return that a person's rollback is done."""
        return self._message(
            f"rolled back to {target.name}",
            [
                f"{_named(target)} serves at the endpoint {self.endpoint} again, verified.",
                *self._model(target),
                "What went before it is rejected in the registry, so that it does not come back by itself.",
            ],
        )

    def given_up(self, target: Target, why: str) -> Message:
        """Return that the target does not serve."""
        rejected = target.model_package and not target.rollback
        return self._message(
            f"{target.name} was rolled back",
            [
                f"{_named(target)} does not serve at the endpoint {self.endpoint}. Reason: {why}",
                f"Cause of the promotion: {target.cause}",
                "The model that served before serves on, and so does its baseline."
                + (" The version is rejected in the registry and is not tried again." if rejected else ""),
                f"What to do: read the endpoint's log, /aws/sagemaker/Endpoints/{self.endpoint}, and the alarms; who "
                "has mended the cause sets the version to Approved in the registry.",
            ],
        )

    def unusable(self, version: Version, why: str) -> Message:
        """Return that an approved version cannot be promoted."""
        return self._message(
            f"version {version.number} cannot serve",
            [f"Version {version.number} was approved and is rejected: {why}.", "What to do: register it again, whole."],
        )

    def overtaken(self, target: Target) -> Message:
        """Return that somebody else's deployment serves."""
        return self._message(
            f"{target.name} was overtaken",
            [
                f"While {target.name} was to be promoted, somebody else deployed another configuration to the endpoint "
                f"{self.endpoint}. What should serve is decided anew.",
                f"What to do: nothing; to look: plumbline champion --environment {self.environment}",
            ],
        )

    def refused(self, target: Target, why: str) -> Message:
        """Return that a person's request came to nothing."""
        return self._message(
            f"nothing done for {target.name}", [f"Asked for: {target.name} ({target.cause}). Not done: {why}."]
        )

    def _model(self, target: Target) -> Iterable[str]:
        return (f"Cause: {target.cause}", f"Artifact: {target.artifact}\nBaseline: {target.baseline}")

    def _stop(self, version: Version) -> str:
        return (
            f"What to do: nothing. To keep it from serving, set version {version.number} to Rejected in the registry; "
            f"once it serves: {self._command('rollback')}"
        )

    def _command(self, what: str) -> str:
        return f'plumbline {what} --environment {self.environment} --reason "..."'

    def _message(self, subject: str, parts: Iterable[str]) -> Message:
        return Message(f"Plumbline {self.environment}: {subject}", "\n\n".join(part for part in parts if part) + "\n")


def _named(target: Target) -> str:
    return target.name[0].upper() + target.name[1:]
