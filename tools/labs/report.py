"""The results of a grading in the formats that people and course systems read."""
import json
from xml.sax.saxutils import escape, quoteattr

from manifest import Lab
from result import HARNESS, OK, Result


def score(results: list[Result]) -> tuple[int, int]:
    return sum(r.score for r in results), sum(r.points for r in results)


def explanation(result: Result) -> list[tuple[str, str]]:
    rows = [("expected", result.expected), ("seen", result.seen), ("next", result.hint),
            ("evidence", result.evidence), ("look", result.look), ("again", result.again)]
    return [(word, text) for word, text in rows if text and result.verdict != OK]


def first(lab: Lab, results: list[Result]) -> str:
    """Which of several failures to mend before the others: tests stand in the order of the steps. One
    that died says where, and where others have died in the same place, it is the one cause of them."""
    failed = [r for r in results if r.verdict not in (OK, HARNESS) and r.name in {t.name for t in lab.tests}]
    if len(failed) < 2:
        return ""
    same = [r.name for r in failed[1:] if r.where and r.where == failed[0].where]
    return f"mend first: {failed[0].name}" + (f" ({', '.join(same)} died in the same place)" if same else "")


def text(lab: Lab, results: list[Result], seed: int, cpus: int) -> str:
    lines = [f"lab {lab.number}: {lab.title}    seed {seed}, {cpus} CPU{'s' if cpus > 1 else ''}"]
    for result in results:
        lines.append(f"{result.verdict:12} {result.score:3}/{result.points:<3} {result.name}")
        lines += [f"    {word:9} {value}" for word, value in explanation(result)]
    lines += [line for line in [first(lab, results)] if line]
    lines.append("score {}/{}".format(*score(results)))
    return "\n".join(lines) + "\n"


def as_json(lab: Lab, results: list[Result], seed: int, cpus: int) -> str:
    got, possible = score(results)
    return json.dumps({"lab": lab.number, "title": lab.title, "seed": seed, "cpus": cpus,
                       "score": got, "points": possible, "first": first(lab, results),
                       "tests": [vars(result) for result in results]}, indent=1) + "\n"


def gradescope(lab: Lab, results: list[Result], seed: int, cpus: int) -> str:
    tests = [{"name": r.name, "score": r.score, "max_score": r.points,
              "status": "passed" if r.verdict == OK else "failed",
              "output": "\n".join([r.verdict] + [f"{word}: {value}" for word, value in explanation(r)])}
             for r in results]
    about = f"lab {lab.number}: {lab.title} (seed {seed}, {cpus} CPU)"
    return json.dumps({"output": "\n".join(line for line in (about, first(lab, results)) if line),
                       "score": score(results)[0], "tests": tests}, indent=1) + "\n"


def junit(lab: Lab, results: list[Result], seed: int, cpus: int) -> str:
    failed = sum(r.verdict != OK for r in results)
    suite = f"lab {lab.number}, seed {seed}, {cpus} CPU"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             f'<testsuite name={quoteattr(suite)} tests="{len(results)}" failures="{failed}">']
    for r in results:
        lines.append(f'<testcase classname="lab{lab.number}" name={quoteattr(r.name)}>')
        if r.verdict != OK:
            body = "\n".join(f"{word}: {value}" for word, value in explanation(r))
            lines.append(f'<failure type={quoteattr(r.verdict)} message={quoteattr(r.seen)}>'
                         f'{escape(body)}</failure>')
        lines.append("</testcase>")
    return "\n".join(lines + ["</testsuite>"]) + "\n"


def ktap(lab: Lab, results: list[Result], seed: int, cpus: int) -> str:
    lines = ["KTAP version 1", f"# lab {lab.number} seed {seed} cpus {cpus}", f"1..{len(results)}"]
    for number, r in enumerate(results, 1):
        lines.append(f"{'ok' if r.verdict == OK else 'not ok'} {number} - {r.name} "
                     f"# {r.verdict} {r.score}/{r.points}")
        lines += [f"# {word}: {value}" for word, value in explanation(r)]
    return "\n".join(lines) + "\n"
