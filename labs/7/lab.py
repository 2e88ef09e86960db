"""Lab 7: coroutines that are preempted. What is declared here: tools/labs/manifest.py."""
from manifest import Lab, Test, Values
from seeds import MASK, mix, number

STEPS = 100000


def computed(seed: int, members: list[int] | range) -> int:
    total = 0
    for member in members:
        value, weight = number(seed, member), 0
        for _ in range(STEPS):
            value = mix(value)
            weight += value & 0xff
        total += value + weight
    return total & MASK


def noted(numbers: list[int]) -> int:
    total = 0
    for what in numbers:
        total = mix(total ^ what)
    return total


def errnos(seed: int, cpus: int) -> Values:
    return {"errno": sum(1 + number(seed, i) % 100 for i in range(4))}


LAB = Lab(
    number=7, title="Coroutines that are preempted",
    goal="Let a timer signal hand the thread on, as the timer interrupt does it with the CPU.",
    files=["user/ulib/co/*.[ch]", "user/ulib/co/*.asm", "labs/7/answers.txt"],
    questions=15,
    tests=[
        Test("loops_share", 15, "steps 2 to 4: a timer that goes on and on; give way in the handler, and "
             "do not leave the signal blocked", lambda seed, cpus: {
                 "switches": (150, 260), "referee_ms": (200, 212), "least_percent": (80, 100),
                 "shared": noted([number(seed, 1)])}, checks=['count(signal()) > 150']),
        Test("state_is_kept", 10, "step 3: give way inside of the handler, so that sigreturn gives the "
             "registers back", lambda seed, cpus: {"switches": (40, 10000),
                                                   "state": computed(seed, range(6))}),
        Test("only_where_allowed", 10, "step 3: look at preemptible first, and clear it while you give way",
             lambda seed, cpus: {"switches": (60, 100000), "pair": 4 * sum(
                 number(seed, i) for i in range(60)) & MASK}),
        Test("errno_is_its_own", 5, "step 3: errno is the thread's; others use it while you wait", errnos),
        Test("sleepers_wake", 10, "step 2: a signal every slice, not just one; the run loop's own wait goes "
             "on after it; step 3: give way also if nobody is ready, or you are canceled",
             lambda seed, cpus: {"referee_ms": (300, 318), "ticks": (30, 42),
                                 "woke": noted([number(seed, 2)])}),
        Test("ends", 10, "step 2: refuse wrong slices before all else; keep what SIGALRM did before, and give "
             "it back after the timer is off", lambda seed, cpus: {
                 "ends": computed(seed, [1, 2, 3, 4, 1, 2])}),
        Test("calls_go_on", 5, "step 2: SA_RESTART, and no other flag or mask; step 3: of the thread's mask "
             "only SIGALRM is changed", lambda seed, cpus: {"read": noted([number(seed, 5)])}),
        Test("handler_is_whole", 10, "step 3: all in this order: where SIGALRM can come in the handler, "
             "preemptible is clear", lambda seed, cpus: {"whole": number(seed, 3)}),
        Test("start_is_whole", 5, "step 2: SIGALRM has its handler before the timer starts, and until it is "
             "off; owner is taken in one step, and given back after all else",
             lambda seed, cpus: {"start": number(seed, 4)}),
        Test("two_threads", 5, "step 2: owner is a thread's number, not the process's, also where the timer is "
             "stopped", lambda seed, cpus: {"threads": computed(seed, [1, 2])}),
    ],
    places={
        "co_preempt": "step 2, the timer", "on_tick": "step 3, the handler",
    },
    crash={
        "loops_share": "step 2: the handler before the timer",
        "state_is_kept": "step 3: block the signal again before the handler ends",
        "ends": "step 2: the timer is off before SIGALRM does what it did",
    },
    hang={
        "loops_share": "step 2: the timer goes on and on; step 3: let the signal in again",
    },
)
