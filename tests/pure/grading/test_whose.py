"""Ids for the people whom exports name."""

from coursemill.pure.grading.exports import Owner
from coursemill.pure.grading.roster import Roster, person
from coursemill.pure.grading.whose import Student, identify

CLASS = Roster((person("jdoe", "Jane", "Doe", lms="55"),))


def test_the_class_knows_people() -> None:
    moodle, canvas = Owner("moodle", "Jane Doe", lms="1"), Owner("canvas", "doejane", lms="55")
    folder = Owner("folders", key="jdoe")
    assert identify([moodle, canvas, folder], CLASS) == dict.fromkeys(
        (moodle, canvas, folder), Student("jdoe", known=True)
    )


def test_others_get_an_id() -> None:
    owners = [Owner("moodle", "Bob Roe", lms="2"), Owner("folders", key="Bob.Roe"), Owner("folders", key="a?b")]
    assert [one.id for one in identify(owners, CLASS).values()] == ["bob-roe", "Bob.Roe", "a-b"]


def test_people_of_one_name_are_told_apart_by_their_numbers() -> None:
    owners = [Owner("moodle", "Participant", lms=str(n)) for n in (7, 8)]
    assert [one.id for one in identify(owners, Roster()).values()] == ["participant-7", "participant-8"]


def test_two_people_never_become_one_whom_the_class_knows() -> None:
    owners = [Owner("moodle", "Jane Doe", lms="1"), Owner("moodle", "Doe Jane", lms="2")]
    assert all("would be one student" in one.problem for one in identify(owners, CLASS).values())


def test_ids_that_are_one_on_other_systems_are_refused() -> None:
    owners = [Owner("folders", key="bob"), Owner("folders", key="BOB")]
    assert all("would be one student" in one.problem for one in identify(owners, Roster()).values())


def test_nothing_is_left_of_some_names() -> None:
    assert identify([Owner("moodle", "???")], Roster())[Owner("moodle", "???")].problem


def test_an_id_of_the_gradebook_must_be_a_folders_name() -> None:
    class_ = Roster((person("../evil", "Jane", "Doe"),))
    assert identify([Owner("moodle", "Jane Doe", lms="1")], class_)[Owner("moodle", "Jane Doe", lms="1")].problem
