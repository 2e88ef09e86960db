"""Lab 1: address spaces. What is declared here: tools/labs/manifest.py."""
from manifest import Lab, Test
from seeds import MASK, mix, number


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


LAB = Lab(
    number=1, title="Address spaces",
    goal="Walk a page table, give pages on demand, and make fork cheap by copy on write.",
    files=["kernel/*.[ch]", "kernel/*.asm", "kernel/*.inc", "labs/1/answers.txt"],
    questions=15,
    tests=[
        Test("walk", 20, "step 2: from pml4 down, one index a level; new tables may be used by users",
             places),
        Test("demand_zero", 15, "step 3: a page only when it is touched, and all zero", touched,
             memory=80),
        Test("protection", 10, "step 3: the entry's flags come from vma_page_flags",
             lambda seed, cpus: {"protected": number(seed, 4)}),
        Test("cow_isolates", 10, "step 4: a shared private page must be read-only in both tables",
             generations),
        Test("stale_tlb", 10, "step 4: a CPU that has an entry in its TLB does not read the table again",
             child_sum),
        Test("cow_is_cheap", 10, "step 4: fork shares the pages and takes the right to write", read,
             memory=64),
        Test("no_leaks", 10, "steps 3 and 4: each page_get has its page_put, each entry is counted",
             lambda seed, cpus: {"kept": number(seed, 7)}),
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
