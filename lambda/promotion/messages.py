"""The promotion function's messages to people: what happened, why, and what they can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.contract.evaluation import Evaluation
from plumbline.contract.retraining import Lineage, MessageKind, RetrainingFile
from plumbline.functions.promotion.facts import ApprovalStatus, PromotionReason, RegistryVersion
from plumbline.functions.promotion.history_store import UnreadableError
from plumbline.functions.promotion.ports import HistoryPort
from plumbline.functions.promotion.registry import evaluation_uri
from plumbline.functions.promotion.state import PromotionTarget
from plumbline.functions.shared.notifications import LoopMessage, paragraphs


@dataclass(frozen=True)
class PromotionMessages:
    """Makes the messages of one environment."""

    environment: str
    endpoint: str

    def gate(
        self, version: RegistryVersion, metadata: Mapping[str, str], table: str, switch_off: PromotionReason | None
    ) -> LoopMessage:
        """Return the gate's result for a version; `table` is the evaluation, `switch_off` why it is not promoted."""
        cause = metadata.get(Lineage.CAUSE, "unknown")
        opening = f"Version {version.number} was trained for the endpoint {self.endpoint}. Cause: {cause}."
        match version.approval:
            case ApprovalStatus.APPROVED:
                kind, result = MessageKind.CHALLENGER_ACCEPTED, "accepted"
                then = "and is approved. It is promoted as soon as the endpoint is free."
                if switch_off:
                    then = f"and is approved, and is not promoted: {switch_off.text}."
                parts = (f"Decision: it passed the gate {then}", table, self._stop(version))
            case ApprovalStatus.PENDING:
                kind, result = MessageKind.CHALLENGER_PENDING, "waits for approval"
                then = "Decision: it passed the gate. It waits for approval; the champion serves on."
                todo = f"What to do: to let it serve: {self._command(f'promote {version.number}')}"
                parts = (then, table, todo)
            case _:
                kind, result = MessageKind.CHALLENGER_REJECTED, "rejected"
                then = "Decision: it is rejected and will not serve. The champion and its baseline stay."
                todo = "What to do: nothing at once; when this repeats, look at the fresh labels and the slices below."
                parts = (then, todo, table)
        return self._message(kind, f"challenger {version.number} {result}", opening, *parts, version=version.number)

    def held(self, target: PromotionTarget, reason: PromotionReason) -> LoopMessage:
        """Return that an approved version is not promoted."""
        return self._message(
            MessageKind.PROMOTION_HELD,
            f"{target.name} is held back",
            f"{_named(target)} is approved and not promoted: {reason.text}.",
            f"What to do: plumbline retrain --on --environment {self.environment}, or promote this one alone: "
            f"{self._command(f'promote {target.version}')}",
            version=target.version,
        )

    def promoted(self, target: PromotionTarget) -> LoopMessage:
        """Return that the target serves."""
        return self._message(
            MessageKind.PROMOTED,
            f"{target.name} serves",
            f"{_named(target)} serves at the endpoint {self.endpoint}, verified.",
            *_model(target),
            f"What to do if it disappoints: {self._command('rollback')}",
            version=target.version,
        )

    def rolled_back(self, target: PromotionTarget) -> LoopMessage:
        """Return that a requested rollback is done."""
        return self._message(
            MessageKind.ROLLED_BACK,
            f"rolled back to {target.name}",
            f"{_named(target)} serves at the endpoint {self.endpoint} again, verified.",
            *_model(target),
            "The version that served in between is rejected in the registry, so that it is not promoted again.",
            version=target.version,
        )

    def failed(self, target: PromotionTarget, reason: PromotionReason) -> LoopMessage:
        """Return that the target does not serve."""
        rejected = target.model_package and not target.rollback
        return self._message(
            MessageKind.PROMOTION_FAILED,
            f"{target.name} was rolled back",
            f"{_named(target)} does not serve at the endpoint {self.endpoint}. Reason: {reason.text}",
            f"Cause of the promotion: {target.cause}",
            "The model that served before serves on, and so does its baseline."
            + (" The version is rejected in the registry and is not tried again." if rejected else ""),
            f"What to do: read the endpoint's log, /aws/sagemaker/Endpoints/{self.endpoint}, and the alarms; when the "
            "cause is repaired, set the version to Approved in the registry.",
            version=target.version,
        )

    def unusable(self, version: RegistryVersion, reason: PromotionReason) -> LoopMessage:
        """Return that an approved version cannot be promoted."""
        return self._message(
            MessageKind.VERSION_UNUSABLE,
            f"version {version.number} cannot serve",
            f"Version {version.number} was approved and is rejected: {reason.text}.",
            "What to do: register it again, complete.",
            version=version.number,
        )

    def superseded(self, target: PromotionTarget) -> LoopMessage:
        """Return that another deployment's configuration serves."""
        return self._message(
            MessageKind.PROMOTION_SUPERSEDED,
            f"{target.name} was superseded",
            f"While {target.name} was to be promoted, another configuration was deployed to the endpoint "
            f"{self.endpoint}. What should serve is decided again.",
            f"What to do: nothing; to see what serves: plumbline champion --environment {self.environment}",
            version=target.version,
        )

    def refused(self, target: PromotionTarget, reason: PromotionReason) -> LoopMessage:
        """Return that a person's request came to nothing."""
        return self._message(
            MessageKind.REQUEST_REFUSED,
            f"nothing done for {target.name}",
            f"Requested: {target.name} ({target.cause}). Not done: {reason.text}.",
            version=target.version,
        )

    def _stop(self, version: RegistryVersion) -> str:
        return (
            f"What to do: nothing. To keep it from serving, set version {version.number} to Rejected in the registry; "
            f"once it serves: {self._command('rollback')}"
        )

    def _command(self, command: str) -> str:
        return f'plumbline {command} --environment {self.environment} --reason "..."'

    def _message(self, kind: MessageKind, subject: str, *parts: str, version: int) -> LoopMessage:
        return LoopMessage(
            kind, f"Plumbline {self.environment}: {subject}", paragraphs(*parts), version=version or None
        )


def evaluation_table(package: Mapping[str, Any], history: HistoryPort) -> str:
    """Return the table of the version's evaluation; without it its reasons; without them why there are none."""
    uri = evaluation_uri(package)
    if uri is None:
        return "The registry names no evaluation of this version."
    try:
        return history.text(f"{uri.rpartition('/')[0]}/{RetrainingFile.EVALUATION_TEXT}")
    except UnreadableError:
        pass
    try:
        return "\n".join(Evaluation.from_json(history.text(uri)).reasons)
    except (UnreadableError, ValueError) as error:
        return f"The evaluation {uri} could not be read: {error}"


def _model(target: PromotionTarget) -> tuple[str, str]:
    return f"Cause: {target.cause}", f"Artifact: {target.artifact}\nBaseline: {target.baseline}"


def _named(target: PromotionTarget) -> str:
    return target.name[0].upper() + target.name[1:]
