"""The numbers that tests draw from a seed, as labs/grade.h has them."""
MASK = (1 << 64) - 1


def mix(x: int) -> int:
    x = x + 0x9e3779b97f4a7c15 & MASK
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 & MASK
    x = (x ^ x >> 27) * 0x94d049bb133111eb & MASK
    return x ^ x >> 31


def number(seed: int, index: int) -> int:
    return mix(seed + mix(index) & MASK)


def drawn(name: str, index: int, choices: list[int]) -> int:
    """One of the numbers, for a learner of this name."""
    value = 0xcbf29ce484222325
    for byte in name.strip().lower().encode():
        value = (value ^ byte) * 0x100000001b3 & MASK
    return choices[number(value, index) % len(choices)]
