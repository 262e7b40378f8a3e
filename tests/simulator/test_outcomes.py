from notify_server.simulator.outcomes import FAULTS, RETRYABLE, WORDS, Fault, Outcome


def test_every_fault_that_is_an_answer_has_an_outcome_of_its_name() -> None:
    broken = {Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.STALL_BEFORE, Fault.STALL_AFTER}
    assert {fault.name for fault in FAULTS if fault not in broken} <= set(Outcome.__members__)


def test_the_numbers_of_outcomes_are_their_places_in_the_words() -> None:
    assert [WORDS[outcome] for outcome in Outcome] == [outcome.word for outcome in Outcome]
    assert set(RETRYABLE) <= set(WORDS)
