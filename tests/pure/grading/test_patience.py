"""How long cells may take."""

from coursemill.pure.grading import patience
from coursemill.pure.grading.job import Options
from coursemill.pure.grading.plan import Plan


def test_a_cell_may_take_ten_times_what_the_instructors_took_and_half_a_minute() -> None:
    plan = Plan(seconds={"quick": 0.1, "slow": 20.0})
    assert patience.of_cell("quick", plan, Options()) == 30
    assert patience.of_cell("slow", plan, Options()) == 200
    assert patience.of_cell("added", plan, Options()) == 30
    assert patience.of_cell("quick", plan, Options(timeout=5)) == 5
    assert patience.of_cell("slow", plan, Options(timeout=5)) == 40, "or nobody could pass"


def test_one_slow_cell_leaves_time_for_the_others() -> None:
    assert patience.of_notebook(Plan(), Options()) == 60
    assert patience.of_notebook(Plan(seconds={"a": 20.0}), Options()) == 400
    assert patience.of_notebook(Plan(seconds={"a": 2.0}), Options(timeout=100)) == 200


def test_what_is_known_to_take_too_long_gets_as_long_as_the_instructors_took() -> None:
    plan = Plan(seconds={"slow": 20.0})
    assert patience.of_again("added", plan, Options()) == 3
    assert patience.of_again("slow", plan, Options()) == 20
    assert patience.of_again("added", plan, Options(timeout=5)) == 1
    assert patience.of_again("added", plan, Options(timeout=0.5)) == 0.5


def test_the_solution_has_more_time_than_students() -> None:
    assert patience.with_solution(Options(timeout=5)) == patience.with_solution(Options()) != Options()
    assert patience.with_solution(Options(timeout=5000)).timeout == 5000
