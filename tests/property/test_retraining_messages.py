"""Every event that reaches the function is parsed, and its metadata are what SageMaker accepts."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from plumbline.functions.retraining.events import AlarmChange, AlarmState, parse
from plumbline.functions.retraining.triggers import alarm_trigger, no_trigger
from tests.unit.functions.retraining.builders import ALARM, alarm_message, sns_event
from tests.unit.functions.retraining.fakes import NOW, FakeAws

moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 -- zone is given
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, json_values, json_values)
def test_no_message_is_an_exception(state: object, moment: object, whole: object) -> None:
    execution = {
        "detail-type": "SageMaker Model Building Pipeline Execution Status Change",
        "detail": {"pipelineExecutionArn": state, "currentPipelineExecutionStatus": moment},
    }
    request = {"reason": state, "force": moment}
    alarm = sns_event(alarm_message(NewStateValue=state, StateChangeTime=moment))
    for event in (whole, sns_event(whole), alarm, execution, request):
        for parsed in parse(event, "request"):
            assert all(decision.reason for decision in FakeAws().handle(parsed))


@given(moments)
def test_alarm_of_any_time_is_judged_at_its_own_time_or_now(moment: datetime) -> None:
    change = AlarmChange(ALARM, AlarmState.ALARM, moment, "")
    assert no_trigger(change, (ALARM,)) is None
    assert alarm_trigger(change, NOW).moment == min(moment, NOW)
    assert len(FakeAws(now=NOW).handle(change)) == 1
