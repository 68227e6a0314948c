"""The plan: from runs to segments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixip_transfer.errors import BadAnswerError
from mixip_transfer.plan import Run, Segment, segments

runs = st.lists(
    st.builds(Run, kind=st.just("literal"), length=st.integers(1, 2**40), count=st.integers(1, 50)),
    min_size=1,
    max_size=5,
)


@given(runs)
def test_segments_cover_the_file_once_and_in_order(plan: list[Run]) -> None:
    size = sum(run.length * run.count for run in plan)
    found = segments(plan, size)
    end = 0
    for index, segment in enumerate(found):
        assert (segment.index, segment.offset) == (index, end)
        assert segment.length > 0
        end += segment.length
    assert end == size


def test_the_example_of_the_protocol() -> None:
    found = segments([Run("literal", 8388608, 32)], 268435456)
    assert len(found) == 32
    assert found[-1] == Segment(31, 31 * 8388608, 8388608)


@given(runs, st.integers(-3, 3).filter(bool))
def test_a_plan_that_does_not_fit_the_file_is_refused(plan: list[Run], off: int) -> None:
    size = sum(run.length * run.count for run in plan)
    with pytest.raises(BadAnswerError, match="does not cover"):
        segments(plan, size + off)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ([Run("copied", 10, 1)], "unknown kind 'copied'"),
        ([Run("literal", 0, 1)], "empty run"),
        ([Run("literal", 10, 0)], "empty run"),
        ([Run("literal", -10, 1), Run("literal", 20, 1)], "empty run"),
        ([Run("literal", 1, 10_001)], "more than 10000"),
        ([Run("literal", 1, 10**18)], "more than 10000"),
    ],
)
def test_a_plan_that_the_protocol_does_not_allow_is_refused(plan: list[Run], message: str) -> None:
    with pytest.raises(BadAnswerError, match=message):
        segments(plan, sum(run.length * run.count for run in plan))
