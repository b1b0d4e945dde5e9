"""Executes the steps of the decision; each may be executed again after the function died in the middle of it.

Crash-safe order: what others read (history, parameters, registry) is written first, then people are notified, then the
function's own state is written. So a message may be sent twice, but nothing is lost. Only an attempt is stored before
the update of the endpoint that it announces.
"""

from dataclasses import replace

from plumbline.contract.champion import Champion, ChampionHistory
from plumbline.contract.retraining import PromotionStatus, RetrainingMetric
from plumbline.functions.promotion import sagemaker_requests as requests
from plumbline.functions.promotion import steps
from plumbline.functions.promotion.endpoint import BusyError, RefusedError
from plumbline.functions.promotion.facts import (
    ApprovalStatus,
    PromotionFacts,
    PromotionReason,
    PromotionReasonCode,
    RegistryVersion,
)
from plumbline.functions.promotion.history_store import whole_second_after, whole_second_before
from plumbline.functions.promotion.messages import PromotionMessages, evaluation_table
from plumbline.functions.promotion.ports import PromotionPorts
from plumbline.functions.promotion.settings import PromotionSettings
from plumbline.functions.promotion.state import PromotionAttempt, PromotionTarget
from plumbline.functions.shared.events import parse_time
from plumbline.functions.shared.notifications import LoopMessage

OTHER_DEPLOYMENT = "deployed by CloudFormation or by hand"


class Promoter:
    """Executes steps.

    Parameters
    ----------
    moment
        AWS's time of the event that is handled, None when it has none. The function's own clock is never used.
    """

    def __init__(self, settings: PromotionSettings, ports: PromotionPorts, moment: str | None) -> None:
        self._settings = settings
        self._ports = ports
        self._moment = moment
        self._messages = PromotionMessages(settings.environment, settings.endpoint)

    def execute(self, step: steps.Step, facts: PromotionFacts) -> None:
        """Execute one step.

        Raises
        ------
        ConcurrentWriteError
            If another invocation wrote the state since it was read.
        """
        match step:
            case steps.StartHistory() | steps.MarkChanging() | steps.RecordChampion():
                self._write_history(step, facts)
            case steps.Notify() | steps.Hold() | steps.RejectUnusable() | steps.Refuse():
                self._report(step, facts)
            case steps.Approve() | steps.Reject():
                self._set_approval(step)
            case steps.Deploy(target):
                self._deploy(target, facts)
            case steps.Finish(attempt):
                self._finish(attempt.target, facts)
            case steps.FailAttempt(attempt, reason):
                self._fail(attempt.target, reason)
            case steps.MarkSuperseded(attempt):
                self._end(attempt.target, PromotionStatus.REFUSED, self._messages.superseded(attempt.target))
            case steps.DropAttempt():
                self._ports.store.write(replace(self._ports.store.state, attempt=None))
            case steps.CleanUp(unused):
                self._ports.endpoint.delete(unused)

    def _write_history(
        self, step: steps.StartHistory | steps.MarkChanging | steps.RecordChampion, facts: PromotionFacts
    ) -> None:
        history, live = facts.history, facts.live
        if isinstance(step, steps.MarkChanging) and history:
            self._ports.history.write_history(history.changing(whole_second_before(step.moment)))
        elif live and history is None:
            first = Champion(live.artifact, live.baseline, cause=OTHER_DEPLOYMENT)
            self._ports.history.write_history(ChampionHistory((first,)))
        elif live and history:
            known = (each.model_package for each in reversed(history.champions) if live.is_same(each))
            now = Champion(live.artifact, live.baseline, next(known, None), cause=OTHER_DEPLOYMENT)
            self._ports.history.write_history(history.settled(now, self._settled_at(facts)))

    def _report(
        self, step: steps.Notify | steps.Hold | steps.RejectUnusable | steps.Refuse, facts: PromotionFacts
    ) -> None:
        store = self._ports.store
        match step:
            case steps.Notify(version):
                self._report_gate(version, facts)
                store.write(replace(store.state, notified_version=version.number))
            case steps.Hold(target, reason):
                self._ports.notifier.publish(self._messages.held(target, reason))
                store.write(replace(store.state, held_version=target.version))
            case steps.RejectUnusable(unusable):
                self._ports.registry.reject(unusable.version.arn, unusable.reason.text)
                self._ports.notifier.publish(self._messages.unusable(unusable.version, unusable.reason))
            case steps.Refuse(target, reason):
                self._end(target, PromotionStatus.REFUSED, self._messages.refused(target, reason))

    def _report_gate(self, version: RegistryVersion, facts: PromotionFacts) -> None:
        package = self._ports.registry.describe(version.arn)
        rejected = version.approval == ApprovalStatus.REJECTED
        table = evaluation_table(package, self._ports.history)
        metadata = package.get("CustomerMetadataProperties", {})
        self._ports.notifier.publish(self._messages.gate(version, metadata, table, facts.switch_off))
        self._ports.notifier.put_metric(
            RetrainingMetric.CHALLENGERS_REJECTED if rejected else RetrainingMetric.CHALLENGERS_ACCEPTED
        )

    def _set_approval(self, step: steps.Approve | steps.Reject) -> None:
        match step:
            case steps.Approve(target) if target.model_package:
                self._ports.registry.approve(target.model_package, target.cause)
            case steps.Reject(arn, cause):
                self._ports.registry.reject(arn, cause)

    def _deploy(self, target: PromotionTarget, facts: PromotionFacts) -> None:
        endpoint, store, view = self._ports.endpoint, self._ports.store, facts.endpoint
        live = endpoint.live(view.config)
        known = target.model_package if facts.version(target.model_package) else None
        package = self._ports.registry.describe(known) if known else None
        model = requests.model_request(self._settings, target, requests.container(target, package, live), live)
        config = requests.config_request(self._settings, target, model["ModelName"], live)
        try:
            created = endpoint.create(model, config)
        except RefusedError as error:
            self._fail(target, PromotionReasonCode.SAGEMAKER_REFUSED.reason(error=error))
            return
        if facts.history:
            since = max(parse_time(view.modified), created)
            self._ports.history.write_history(facts.history.changing(whole_second_before(since.isoformat())))
        before = store.state
        attempt = PromotionAttempt(target, config["EndpointConfigName"], view.config, view.modified)
        requested = None if before.requested == target else before.requested
        store.write(replace(before, attempt=attempt, requested=requested))
        try:
            endpoint.update(requests.update_request(self._settings, attempt.config))
        except BusyError:
            # The update did not begin, even if the endpoint is modified later.
            store.write(replace(before, attempt=None, requested=target if target.request else before.requested))
        except RefusedError as error:
            self._fail(target, PromotionReasonCode.SAGEMAKER_REFUSED.reason(error=error))

    def _finish(self, target: PromotionTarget, facts: PromotionFacts) -> None:
        champion = Champion(target.artifact, target.baseline, target.model_package, cause=target.cause)
        if facts.history:
            self._ports.history.write_history(facts.history.settled(champion, self._settled_at(facts)))
        self._ports.history.write_champion(target)
        if target.rollback:
            self._ports.notifier.put_metric(RetrainingMetric.ROLLED_BACK)
            self._end(target, PromotionStatus.ROLLED_BACK, self._messages.rolled_back(target))
        else:
            self._ports.notifier.put_metric(RetrainingMetric.PROMOTED)
            self._end(target, PromotionStatus.PROMOTED, self._messages.promoted(target))

    def _fail(self, target: PromotionTarget, reason: PromotionReason) -> None:
        if target.model_package and not target.rollback:
            self._ports.registry.reject(target.model_package, f"does not serve: {reason.text}")
        self._ports.notifier.put_metric(RetrainingMetric.ROLLED_BACK)
        self._end(target, PromotionStatus.FAILED, self._messages.failed(target, reason))

    def _end(self, target: PromotionTarget, status: PromotionStatus, message: LoopMessage) -> None:
        self._ports.notifier.publish(message)
        store = self._ports.store
        store.write(store.state.ended(target, status, message.text))

    def _settled_at(self, facts: PromotionFacts) -> str:
        """Return when the endpoint had settled: the later of its last change and the event's time."""
        moments = [facts.endpoint.modified, *([self._moment] if self._moment else [])]
        return whole_second_after(max(moments, key=parse_time))
