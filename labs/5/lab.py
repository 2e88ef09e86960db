"""Lab 5: coroutines. What is declared here: tools/labs/manifest.py."""
from collections import deque

from manifest import Lab, Test
from seeds import MASK, mix, number

CONTROL = 0x37f00001f80


def registers(seed: int, cpus: int) -> dict[str, int]:
    # The thread's own stack has 100 turns; the others' last has not come back when it reports.
    total = sum(number(seed, member << 32 | turn << 8 | i) for member in range(9)
                for turn in range(99 if member else 100) for i in range(6))
    token = 0
    for _ in range(900):
        token = mix(token)
    return {"registers": total & MASK, "token": token}


def rounding(seed: int, cpus: int) -> dict[str, int]:
    mine, others = CONTROL | 0x40000002000, CONTROL | 0x80000004000
    seen = [CONTROL, mine] + [others, mine] * 9
    return {"rounding": sum(word * number(seed, i) for i, word in enumerate(seen)) & MASK}


def first(seed: int, cpus: int) -> dict[str, int]:
    return {"first": sum(mix(number(seed, i) + i & MASK) for i in range(30)) & MASK}


def chain(seed: int, cpus: int) -> dict[str, int]:
    total = 0
    for turn in range(8):
        value = number(seed, turn)
        for member in (2, 1, 0):
            value = mix(value + member & MASK)
        total = mix(total + value & MASK)
    return {"chain": total}


def noted(seed: int, order: list[int]) -> int:
    total = 0
    for who in order:
        total = mix(total ^ number(seed, who))
    return total


def order(seed: int, cpus: int) -> dict[str, int]:
    ready, turns = deque((i, 0) for i in range(20)), []
    while ready:
        me, turn = ready.popleft()
        if turn < 5:
            turns.append(me)
            if me % 7 == 3 and turn == 1:
                ready.append((me + 100, 0))
            ready.append((me, turn + 1))
    return {"order": noted(seed, turns)}


def rounds(seed: int, cpus: int) -> dict[str, int]:
    total = 0
    for turn in range(3):
        for me in range(10000):
            if me % 3 == turn:
                total = mix(total + me & MASK)
    return {"crowd": total}


def results(seed: int, cpus: int) -> dict[str, int]:
    return {"results": sum(number(seed, i) for i in range(10)) & MASK}


LAB = Lab(
    number=5, title="Coroutines",
    goal="Write the switch that enters no kernel, resume and yield on it, and the run loop on those.",
    files=["user/ulib/co/*.[ch]", "user/ulib/co/*.asm", "labs/5/answers.txt"],
    questions=15,
    tests=[
        Test("registers", 13, "step 2: push and pop the six registers in exactly opposite order, and "
             "return `value`", registers),
        Test("picture", 10, "step 2: push rbp, rbx, r12, r13, r14, r15, then 8 bytes: MXCSR below, the x87 word above",
             lambda seed, cpus: {"picture": number(seed, 47), "labels": number(seed, 48)}),
        Test("rounding", 8, "step 2: MXCSR and the x87 control word belong to each side, too", rounding),
        Test("first_frame", 8, "steps 3 and 4: what must lie on the stack of one that has never run, "
             "and where?", first),
        Test("first_words", 9, "step 3: each word of the picture, also the zeroes: the stack may have been another's",
             lambda seed, cpus: {"words": number(seed, 50)}),
        Test("resume_and_yield", 10, "step 4: write down every state and pointer of the table, before "
             "you switch", chain),
        Test("who_resumed_whom", 6, "step 4: `out` of this resume (it may be NULL), the resumer of this resume, and none "
             "after the yield", lambda seed, cpus: {"deep": number(seed, 52)}),
        Test("run_order", 7, "step 5: first in, first out, each ready one once a round", order,
             checks=['count(co_in()) >= 130']),
        Test("counts", 3, "step 5, run(): off the list, ready_count and switches first, then enter; watch_ran() before end()",
             lambda seed, cpus: {"counts": number(seed, 53)}),
        Test("rounds", 3, "step 5, co_run: one look() after each round; a round is as many as are ready at its start, "
             "but POLL_EVERY at most", rounds),
        Test("ends", 4, "step 5: one that is CO_DEAD after its turn goes to end()", results, memory=96),
        Test("parked_ones", 4, "step 5: look() after each round; it knows whether to wait",
             lambda seed, cpus: {"parked": noted(seed, [10, 20, 11, 1, 3, 30, 31])}),
    ],
    places={
        "co_switch": "step 2, the switch", "co_swapped": "step 2, the switch: what it loads",
        "co_create": "step 3, the first frame", "co_entry": "step 3: the first frame leads here",
        "co_enter": "step 4, resume", "co_leave": "step 4, yield", "run": "step 5, a turn",
        "co_run": "step 5, the rounds",
    },
    crash={
        "registers": "step 2: push and pop in exactly opposite order",
        "first_frame": "step 3: the first frame; count its words, co_entry must find a stack "
                       "aligned to 16 bytes",
        "resume_and_yield": "step 4: who is whose resumer",
        "counts": "step 5: watch_ran() before end(), which may free the coroutine",
        "ends": "step 5: one that is CO_DEAD goes to end()",
    },
    hang={
        "run_order": "step 5: the queue, and its rounds",
        "rounds": "step 5: a round ends after those that were ready at its start",
        "parked_ones": "step 5: look() after each round",
    },
)
