"""Takes the steps that the decision names; each may be taken again after a death in the middle of it.

What others rely on comes first and the memory of it last: a promotion that is told twice is a nuisance, one that is
never written down is a fault. Only the update of the endpoint is remembered before it is asked for.
"""

from dataclasses import replace

from shared import times

from contract.champion import Champion, ChampionHistory
from contract.retraining import RetrainingMetric
from promotion import requests
from promotion.facts import ApprovalStatus, Facts, Version
from promotion.gate_news import evaluation_table
from promotion.hosting import BusyError, RefusedError
from promotion.services import Services
from promotion.settings import Settings
from promotion.state import Attempt, Target, Verdict
from promotion.steps import (
    Approve,
    CleanUp,
    Deploy,
    Finish,
    Forget,
    GiveUp,
    Hold,
    MarkChanging,
    Overtaken,
    Record,
    Refuse,
    Reject,
    StartHistory,
    Step,
    Tell,
    TurnDown,
)
from promotion.words import Message, Words

CHANGED_BY_OTHERS = "deployed by CloudFormation or by hand"


class Promoter:
    """The hands of the function.

    Parameters
    ----------
    moment
        AWS's time of the event that is handled, None when it has none. The function's own clock counts for nothing.
    """

    def __init__(self, settings: Settings, services: Services, moment: str | None) -> None:
        self._settings = settings
        self._services = services
        self._moment = moment
        self._words = Words(settings.environment, settings.endpoint)

    def take(self, step: Step, facts: Facts) -> None:
        """Take one step."""
        match step:
            case StartHistory() | MarkChanging() | Record():
                self._write_history(step, facts)
            case Tell() | Hold() | TurnDown() | Refuse():
                self._tell_of(step, facts)
            case Approve() | Reject():
                self._set_approval(step)
            case Deploy(target):
                self._deploy(target, facts)
            case Finish(attempt):
                self._finish(attempt.target, facts)
            case GiveUp(attempt, why):
                self._give_up(attempt.target, why)
            case Overtaken(attempt):
                self._end(attempt.target, Verdict.REFUSED, self._words.overtaken(attempt.target))
            case Forget():
                self._services.memory.write(replace(self._services.memory.state, attempt=None))
            case CleanUp(leftovers):
                self._services.hosting.delete(leftovers)

    def _write_history(self, step: StartHistory | MarkChanging | Record, facts: Facts) -> None:
        history = facts.history
        if isinstance(step, MarkChanging) and history:
            self._services.records.write_history(history.changing(times.whole_second_before(step.moment)))
        elif facts.serving and history is None:
            first = Champion(facts.serving.artifact, facts.serving.baseline, cause=CHANGED_BY_OTHERS)
            self._services.records.write_history(ChampionHistory((first,)))
        elif facts.serving and history:
            known = (each for each in reversed(history.champions) if facts.serving and facts.serving.is_of(each))
            package = next((each.model_package for each in known), None)
            now = Champion(facts.serving.artifact, facts.serving.baseline, package, cause=CHANGED_BY_OTHERS)
            self._services.records.write_history(history.settled(now, self._settled_at(facts)))

    def _tell_of(self, step: Tell | Hold | TurnDown | Refuse, facts: Facts) -> None:
        memory = self._services.memory
        match step:
            case Tell(version):
                self._tell_gate(version, facts)
                memory.write(replace(memory.state, told_version=version.number))
            case Hold(target, why):
                self._tell(self._words.held(target, why))
                memory.write(replace(memory.state, held_version=target.version))
            case TurnDown(unusable):
                self._services.packages.reject(unusable.version.arn, unusable.why)
                self._tell(self._words.unusable(unusable.version, unusable.why))
            case Refuse(target, why):
                self._end(target, Verdict.REFUSED, self._words.refused(target, why))

    def _tell_gate(self, version: Version, facts: Facts) -> None:
        package = self._services.packages.describe(version.arn)
        rejected = version.approval == ApprovalStatus.REJECTED
        table = evaluation_table(package, self._services.records)
        metadata = package.get("CustomerMetadataProperties", {})
        self._tell(self._words.gate(version, metadata, table, facts.switch_off))
        self._services.announcer.count(
            RetrainingMetric.CHALLENGERS_REJECTED if rejected else RetrainingMetric.CHALLENGERS_ACCEPTED
        )

    def _set_approval(self, step: Approve | Reject) -> None:
        match step:
            case Approve(target) if target.model_package:
                self._services.packages.approve(target.model_package, target.cause)
            case Reject(arn, why):
                self._services.packages.reject(arn, why)

    def _deploy(self, target: Target, facts: Facts) -> None:
        hosting, memory, endpoint = self._services.hosting, self._services.memory, facts.endpoint
        live = hosting.live(endpoint.config)
        known = target.model_package if facts.version(target.model_package) else None
        package = self._services.packages.describe(known) if known else None
        model = requests.model_request(self._settings, target, requests.container(target, package, live), live)
        config = requests.config_request(self._settings, target, model["ModelName"], live)
        try:
            created = hosting.make(model, config)
        except RefusedError as error:
            self._give_up(target, str(error))
            return
        if facts.history:
            since = max(times.parse(endpoint.modified), created)
            self._services.records.write_history(facts.history.changing(times.whole_second_before(since.isoformat())))
        before = memory.state
        attempt = Attempt(target, config["EndpointConfigName"], endpoint.config, endpoint.modified)
        asked = None if before.asked == target else before.asked
        memory.write(replace(before, attempt=attempt, asked=asked))
        try:
            hosting.update(requests.update_request(self._settings, attempt.config))
        except BusyError:
            # It did not begin, whatever the endpoint's time of change says later.
            memory.write(replace(before, attempt=None, asked=target if target.request else before.asked))
        except RefusedError as error:
            self._give_up(target, str(error))

    def _finish(self, target: Target, facts: Facts) -> None:
        champion = Champion(target.artifact, target.baseline, target.model_package, cause=target.cause)
        if facts.history:
            self._services.records.write_history(facts.history.settled(champion, self._settled_at(facts)))
        self._services.records.write_champion(target)
        if target.rollback:
            self._services.announcer.count(RetrainingMetric.ROLLED_BACK)
            self._end(target, Verdict.ROLLED_BACK, self._words.returned(target))
        else:
            self._services.announcer.count(RetrainingMetric.PROMOTED)
            self._end(target, Verdict.PROMOTED, self._words.promoted(target))

    def _give_up(self, target: Target, why: str) -> None:
        if target.model_package and not target.rollback:
            self._services.packages.reject(target.model_package, f"does not serve: {why}")
        self._services.announcer.count(RetrainingMetric.ROLLED_BACK)
        self._end(target, Verdict.FAILED, self._words.given_up(target, why))

    def _end(self, target: Target, verdict: Verdict, message: Message) -> None:
        self._tell(message)
        memory = self._services.memory
        memory.write(memory.state.ended(target, verdict, message.text))

    def _tell(self, message: Message) -> None:
        self._services.announcer.tell(message.subject, message.text)

    def _settled_at(self, facts: Facts) -> str:
        """Return when the endpoint had settled: the later of what the endpoint and the event say."""
        said = [facts.endpoint.modified, *([self._moment] if self._moment else [])]
        return times.whole_second_after(max(said, key=times.parse))
