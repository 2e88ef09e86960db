"""Lab 6: the stall and its cure. What is declared here: tools/labs/manifest.py."""
from manifest import Lab, Test, Values
from seeds import MASK, mix, number

BLOCK = 200000
CALLS = 6400
IN_LINE = 60
LINES = 80


def order(seed: int, cpus: int) -> Values:
    total = 0
    for index in (2, 1, 3, 4):
        total = mix(total ^ number(seed, index))
    return {"order": total}


def noted(seed: int, numbers: list[int]) -> int:
    total = 0
    for index in numbers:
        total = mix(total ^ number(seed, index))
    return total


def many(seed: int, cpus: int) -> Values:
    """60 in one line: a switch to begin, one to read, and the writer's. 80 at once: two rounds."""
    return {"switches": (180, 190), "rounds": (2, 8),
            "in_order": sum(i * number(seed, i) for i in range(1, IN_LINE + 1)) & MASK,
            "at_once": sum(number(seed, i) for i in [0, *range(LINES)]) & MASK}


def in_turn(seed: int, cpus: int) -> Values:
    """Of 12 numbers the first reader gets every other one, the second one the rest."""
    return {"first": sum(number(seed, i) for i in range(0, 12, 2)) & MASK,
            "second": sum(number(seed, i) for i in range(1, 12, 2)) & MASK}


def written(seed: int, cpus: int) -> Values:
    total = 0
    for i in range(BLOCK):
        total = total * 31 + ((number(seed, i) if i < 1000 else i * 7) & 255) & MASK
    return {"bytes": mix(total), "ticks": (10, 20)}


LAB = Lab(
    number=6, title="The stall and its cure",
    goal="See one blocked coroutine stop all its siblings, and make waiting a matter of the one who waits.",
    files=["user/ulib/co/*.[ch]", "user/ulib/co/*.asm", "labs/6/answers.txt"],
    questions=15,
    tests=[
        Test("siblings_tick", 10, "steps 2 to 4: ask poll first; park if there is nothing; the run loop "
             "wakes you", lambda seed, cpus: {"read": mix(number(seed, 0)), "ticks": (54, 66)},
             checks=['total(stall()) < 10ms', 'count(co_in()) >= 60']),
        Test("two_pipes", 5, "step 4: io_poll goes through all events that set_wait gives, and each has "
             "a descriptor of its own", order),
        Test("writer_waits", 10, "step 5: a pipe that can take something cannot always take all",
             written, checks=['total(stall()) < 10ms']),
        Test("first_come_first_served", 5, "step 2: stand in line until it is your turn, also when there is "
             "something to read", in_turn),
        Test("somebody_was_faster", 5, "step 2: who was woken must look again, another one may have "
             "been faster", lambda seed, cpus: {"read": mix(number(seed, 0)), "longest_ms": (1, 4)}),
        Test("signals_do_not_matter", 5, "step 4: poll that was interrupted by a signal has found "
             "nothing; that is no error", lambda seed, cpus: {"read": mix(number(seed, 0)),
                                                            "ticks": (24, 34)}),
        Test("sleeps_when_idle", 5, "step 4: wait in poll until the deadline, do not ask again and "
             "again", lambda seed, cpus: {"ticks": (3, 5), "rounds": (3, 16),
                                              "microseconds": (1, 20000)}),
        Test("errors", 5, "step 2: outside of coroutines -EPERM, and POLLNVAL means -EBADF",
             lambda seed, cpus: {"errors": number(seed, 5)}),
        Test("always_ready", 5, "step 2: count the calls, of all of the thread, and each POLL_EVERY-th time let "
             "others run",
             lambda seed, cpus: {
            "turns": (CALLS // 64 - 2, CALLS // 64 + 8), "ready": number(seed, 6)}),
        Test("hang_ups", 5, "step 4: POLLERR and POLLHUP wake whoever waits; step 2: for usable they are no errors",
             lambda seed, cpus: {"hang_ups": number(seed, 7)}),
        Test("deadlines", 5, "step 3: arm each of the waits; the deadline and the result are loop_park's",
             lambda seed, cpus: {"deadlines": number(seed, 8)}),
        Test("many", 5, "step 4: all events in one go; of those who take one at a time",
             many),
        Test("both_ways", 5, "step 4: passed over is only who takes what one before it takes",
             lambda seed, cpus: {"both": noted(seed, [9, 9])}),
        Test("gives_up", 5, "steps 2 and 3: errors end the wait, and leave nothing behind",
             lambda seed, cpus: {"given_up": noted(seed, [10, 11])}),
        Test("two_loops", 5, "step 4: what io_poll and usable keep is the thread's: on the stack, or _Thread_local",
             lambda seed, cpus: {"ours": noted(seed, [12])}),
    ],
    places={
        "usable": "step 2, ask first", "park": "step 3, park", "io_poll": "step 4, the run loop asks",
        "co_write": "step 5, write, too",
    },
    crash={
        "two_pipes": "step 4: the events, and whose they are",
        "first_come_first_served": "step 2: wait_end is the last thing that usable does",
    },
    hang={
        "siblings_tick": "step 3: wait_arm before loop_park; step 4: wake who waits for what has "
                         "happened",
        "first_come_first_served": "step 2: as long as it is not your turn",
    },
)
