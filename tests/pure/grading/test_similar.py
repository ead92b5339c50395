import ast
import random
import time

import pytest

from coursemill.pure.grading import similar

LONG = '''
def load(path):
    """Read the file."""
    rows = []
    with open(path, encoding="utf-8") as stream:
        header = stream.readline().strip().split(";")
        for line in stream:
            fields = line.rstrip("\\n").split(";")
            if len(fields) != len(header):
                continue
            rows.append(dict(zip(header, fields)))
    return rows


def by_station(rows, column="station"):
    groups = {}
    for row in rows:
        name = row.get(column, "?").strip().title()
        groups.setdefault(name, []).append(float(row["minutes"] or 0))
    return {name: (len(minutes), sum(minutes) / len(minutes)) for name, minutes in groups.items()}


def report(groups, limit=10):
    best = sorted(groups.items(), key=lambda pair: -pair[1][1])[:limit]
    for rank, (name, (count, mean)) in enumerate(best, start=1):
        print(f"{rank:2}. {name:20} {count:5} {mean:.1f}")
    return [name for name, _ in best]
'''
DISGUISED = '''
# completely my own work
def show_best(g, top = 10):
    winners = sorted(g.items(), key=lambda p: -p[1][1])[:top]
    for i, (station, (n, average)) in enumerate(winners, start=1):
        print(f"{i:2}. {station:20} {n:5} {average:.1f}")
    return [station for station, _ in winners]

def collect(table, column='station'):
    """Group them."""
    d = {}
    for entry in table:
        key = entry.get(column, '?').strip().title()
        d.setdefault(key, []).append(
            float(entry['minutes'] or 0)
        )
    return {key: (len(m), sum(m) / len(m)) for key, m in d.items()}

def read_it(file):
    result = []
    with open(file, encoding='utf-8') as f:
        names = f.readline().strip().split(';')
        for l in f:
            parts = l.rstrip('\\n').split(';')
            if len(parts) != len(names):   # broken
                continue
            result.append(dict(zip(names, parts)))
    return result
'''
OWN = """
import csv
import collections
import statistics


def load(path):
    with open(path, newline="") as stream:
        return [row for row in csv.DictReader(stream, delimiter=";") if None not in row.values()]


class Stations(collections.defaultdict):
    def __init__(self, rows):
        super().__init__(list)
        for row in rows:
            self[row["station"].strip().title()].append(float(row["minutes"]))

    def best(self, limit):
        return collections.Counter({name: statistics.fmean(ride) for name, ride in self.items()}).most_common(limit)


def report(stations, limit=10):
    for name, mean in stations.best(limit):
        print(name.ljust(20), len(stations[name]), round(mean, 1), sep="\\t")
    return list(dict(stations.best(limit)))
"""


def test_a_disguise_is_seen_through() -> None:
    assert ast.dump(ast.parse(LONG)) != ast.dump(ast.parse(DISGUISED))
    (pair,) = similar.pairs({"ada": [LONG], "bob": [DISGUISED], "cyd": [OWN]})
    assert (pair.first, pair.second, pair.share) == ("ada", "bob", 1.0)
    assert pair.pieces >= similar.OWN


def test_cells_may_be_cut_otherwise() -> None:
    parts = LONG.split("\n\n\n")
    assert similar.pairs({"ada": [LONG], "bob": list(reversed(parts))})


def test_what_the_instructor_gave_is_nobodys_own() -> None:
    assert not similar.pairs({"ada": [LONG], "bob": [DISGUISED]}, [LONG])


def test_what_most_of_a_class_wrote_is_nobodys_own() -> None:
    work = {f"student-{n}": [LONG] for n in range(6)} | {f"other-{n}": [OWN if n == 0 else "x = 1"] for n in range(4)}
    assert not similar.pairs(work)
    fewer = {name: cells for name, cells in work.items() if name not in ("student-4", "student-5")}
    assert similar.groups(similar.pairs(fewer)) == (("student-0", "student-1", "student-2", "student-3"),)


@pytest.mark.parametrize(
    "short",
    [
        ["answer = 'B'"],
        ["def f(html):\n    return [a['href'] for a in soup(html).find_all('a')]"] * 3,
        [f"x{n} = f{n}(a, b)" for n in range(200)],
        ["this is no Python at all " * 100],
        [],
    ],
)
def test_short_answers_and_other_languages_are_never_similar(short: list[str]) -> None:
    assert not similar.pairs({"ada": short, "bob": short})


def test_half_of_it_is_not_enough() -> None:
    half = LONG.split("\n\n\n")[0]
    assert not similar.pairs({"ada": [half, OWN], "bob": [LONG]})


def test_hostile_code_is_looked_at_too() -> None:
    deep = "x = " + "(" * 150 + "1" + ")" * 150
    chain = "x = " + "+".join(["a"] * 3000)
    assert not similar.pairs({"ada": [deep, chain, "\udc80", "\0"], "bob": [deep, chain, "def f("]})


def test_a_large_class_takes_seconds() -> None:
    chance = random.Random(3)
    work = {f"s{n}": [_program(chance) for _ in range(3)] for n in range(600)}
    for n in range(0, 200, 2):
        work[f"s{n}"] = list(work["s1"])
    began = time.process_time()
    found = similar.pairs(work)
    assert time.process_time() - began < 20  # comparing trees pair by pair takes hours
    assert len(similar.groups(found)[0]) == 101


def _program(chance: random.Random) -> str:
    def line(n: int) -> str:
        a, b = chance.randrange(1000), chance.choice("pqrstuvw")
        forms = (
            f"v{n} = [{b} + {a} for {b} in a if {b} > {n}]",
            f"v{n} = sorted(a, key=lambda it: it.{b})[{a}]",
            f"v{n} = str(b).strip().split({b!r}, {a})",
        )
        return f"    {chance.choice(forms)}"

    return "\n".join(["def f(a, b):", *(line(n) for n in range(12))])
