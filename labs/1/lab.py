"""Lab 1: address spaces. What is declared here: tools/labs/manifest.py."""
from manifest import Lab, OwnQuestion, Test
from seeds import MASK, drawn, mix, number


def places(seed: int, cpus: int) -> dict[str, int]:
    return {"places": sum(number(seed, 1000 + i) ^ ((i + 1) << 39 | number(seed, i) & 0x7ffffff000)
                          for i in range(64)) & MASK}


def touched(seed: int, cpus: int) -> dict[str, int]:
    pages, total = {}, 0
    for i in range(500):
        page = number(seed, i) % 16384
        pages[page] = pages.get(page, 0) + number(seed, i) & MASK
        total += pages[page]
    return {"touched": total & MASK}


def generations(seed: int, cpus: int) -> dict[str, int]:
    first = number(seed, 0)
    second = first ^ number(seed, 1)
    third = second ^ number(seed, 2)
    return {"generations": mix(third) + mix(second + 1 & MASK) + first & MASK}


def child_sum(seed: int, cpus: int) -> dict[str, int]:
    return {"child_sum": sum(number(seed, i) * (i + 1) for i in range(64)) & MASK}


def read(seed: int, cpus: int) -> dict[str, int]:
    return {"read": sum(mix(number(seed, child) % 5120 + seed & MASK) for child in range(8)) & MASK}


def numbers(seed: int, first: int, count: int) -> int:
    return sum(number(seed, first + i) for i in range(count))


def tables(seed: int, cpus: int) -> dict[str, int]:
    return {"entries": numbers(seed, 1000, 200) & MASK, "seen": number(seed, 2)}


def entries(seed: int, cpus: int) -> dict[str, int]:
    return {"through": numbers(seed, 900, 4) & MASK, "seen": number(seed, 2)}


def no_memory(seed: int, cpus: int) -> dict[str, int]:
    return {"kept": 2 * number(seed, 0) + number(seed, 900) & MASK, "seen": number(seed, 2)}


def shares(seed: int, cpus: int) -> dict[str, int]:
    return {"generations": sum(number(seed, i) * factor for i, factor in
                               ((0, 1), (3, 2), (0, 3), (1, 4), (6, 5), (2, 6))) & MASK,
            "seen": number(seed, 2)}


def flushes(seed: int, cpus: int) -> dict[str, int]:
    return {"child_sum": numbers(seed, 0, 4) & MASK, "seen": number(seed, 2)}


def large(seed: int, cpus: int) -> dict[str, int]:
    return {"kept": sum(mix(i + i % 2 + seed & MASK) for i in range(18432)) & MASK}


def place(name: str) -> tuple[int, int]:
    """A level, and a user address whose indexes all differ."""
    levels = [drawn(name, level, list(range(3 + 60 * level, 60 + 60 * level))) for level in range(4)]
    return drawn(name, 4, [0, 1, 2, 3]), sum(index << 12 + 9 * level for level, index in enumerate(levels))


def forks(name: str) -> int:
    return drawn(name, 5, [2, 3, 4, 5, 6, 7])


LAB = Lab(
    number=1, title="Address spaces",
    goal="Walk a page table, give pages on demand, and make fork cheap by copy on write.",
    files=["kernel/*.[ch]", "kernel/*.asm", "kernel/*.inc", "labs/1/answers.txt"],
    questions=10,
    personal={
        "1": OwnQuestion(lambda name: "What is the level {} index of the address {:#x}?".format(*place(name)),
                         lambda name: place(name)[1] >> 12 + 9 * place(name)[0] & 511),
        "4": OwnQuestion(lambda name: f"A page was touched by a process that then forked {forks(name)} times; all "
                         "live, and nobody wrote since. What is its number of references?",
                         lambda name: forks(name) + 1),
    },
    tests=[
        Test("walk", 10, "step 2: from pml4 down, one index a level; new tables may be used by users",
             places),
        Test("tables", 10, "step 2: new tables only with `create`, each with its flags and counted once",
             tables, append="lab=tables:{seed}"),
        Test("demand_zero", 10, "step 3: a page only when it is touched, and all zero", touched,
             memory=80),
        Test("protection", 10, "step 3: the entry's flags come from vma_page_flags",
             lambda seed, cpus: {"protected": number(seed, 4)}),
        Test("entries", 10, "step 3: what fault_new and fault_write enter, count, and return", entries,
             append="lab=entries:{seed}"),
        Test("no_memory", 5, "steps 2 and 3: look whether there was a page before you use it", no_memory,
             append="lab=no_memory:{seed}", memory=64),
        Test("cow_isolates", 5, "step 4: a shared private page must be read-only in both tables",
             generations),
        Test("shares", 10, "step 4: one page in both tables, a reference for each", shares,
             append="lab=shares:{seed}"),
        Test("stale_tlb", 5, "step 4: a CPU that has an entry in its TLB does not read the table again",
             child_sum),
        Test("flushes", 5, "steps 3 and 4: the table first, then the flush, then what nobody can reach",
             flushes, append="lab=flushes:{seed}", cpus=2),
        Test("cow_is_cheap", 5, "step 4: fork shares the pages and takes the right to write", read,
             memory=64),
        Test("no_leaks", 5, "steps 3 and 4: each page_get has its page_put, each entry is counted",
             large),
    ],
    places={
        "mm_pte": "step 2, the walk", "make_page": "step 3, the page of a fault",
        "fault_new": "step 3, the entry of a new page", "fault_write": "step 3, the right to write",
        "copy_one": "step 4, copy on write", "mm_clone": "step 4, the parent's TLB",
    },
    crash={
        "walk": "step 2: a wrong entry leads everybody to wrong memory",
        "protection": "step 3: the flags of an entry",
        "cow_isolates": "step 4: both tables read-only, a reference for each",
    },
    hang={
        "demand_zero": "step 3: a fault that does not mend its entry comes again for ever",
        "cow_isolates": "step 4: a write that is not allowed in the end comes again for ever",
    },
)
