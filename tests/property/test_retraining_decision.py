import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from retraining.alarm_event import AlarmChange, AlarmState, parse
from retraining.decision import Action, Rule, admit
from retraining.handler import run
from retraining.settings import Settings

from tests.unit.retraining.builders import ALARM, FakeJobs, alarm_message, environment, sns_event

SETTINGS = Settings.from_environment(environment())
START = datetime(2026, 3, 1, tzinfo=UTC)
# botocore, service model sagemaker, shape TrainingJobName
JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 -- zone is given
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.integers(0, 23), min_size=1, max_size=12))
def test_one_episode_in_any_order_and_number_of_deliveries_starts_one_job(hours: list[int]) -> None:
    jobs = FakeJobs()
    for hour in hours:
        jobs.now = START + timedelta(hours=hour, minutes=1)
        (change,) = parse(sns_event(alarm_message(StateChangeTime=(START + timedelta(hours=hour)).isoformat())), "r")
        run(change, SETTINGS, jobs)
    assert len(jobs.requests) == 1


@given(st.lists(st.booleans(), max_size=6), moments)
def test_a_change_delivered_again_never_has_a_second_job(finished: list[bool], moment: datetime) -> None:
    jobs = FakeJobs(now=moment)
    change = AlarmChange(ALARM, AlarmState.ALARM, moment, "")
    actions = []
    for end in [False, *finished]:
        actions.append(run(change, SETTINGS, jobs).action)
        if end:
            jobs.jobs = [type(job)(job.name, False, job.created_at) for job in jobs.jobs]
    assert actions == [Action.START] + [Action.ALREADY_STARTED] * len(finished)


@given(moments, st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True))
def test_job_names_are_names_that_sagemaker_takes(moment: datetime, name: str) -> None:
    rule = Rule((ALARM,), f"plumbline-{name}-train", timedelta(hours=24))
    decision = admit(AlarmChange(ALARM, AlarmState.ALARM, moment, ""), rule)
    assert decision.job_name is not None
    assert len(decision.job_name) <= 63
    assert JOB_NAME.fullmatch(decision.job_name)


@given(json_values, json_values, json_values)
def test_no_message_is_an_exception(state: object, moment: object, whole: object) -> None:
    for event in (whole, sns_event(whole), sns_event(alarm_message(NewStateValue=state, StateChangeTime=moment))):
        for occurrence in parse(event, "request"):
            assert admit(occurrence, SETTINGS.rule).why
