"""What Spark really did: plans, jobs, tasks, rows read and shuffled, set-ups, all asked of Spark itself."""

import contextlib
import io
import json
import os
import re
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pyspark import Accumulator
from pyspark.sql import DataFrame, SparkSession

Row = tuple[Any, ...]


@contextlib.contextmanager
def quiet_java() -> Iterator[None]:
    """A Java process that is started inside writes its log nowhere; Python's messages go where they always go."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class Watch:
    """Looks at one session; changes nothing in it."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark, self.sc = spark, spark.sparkContext
        self.sc.addPyFile(__file__)  # the workers are processes of their own: they need this module, too

    # Plans

    def plan(self, frame: DataFrame) -> str:
        """What `frame.explain()` prints, without folders and the numbers that are others in every query."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            frame.explain()
        text = re.sub(r"#\d+L?|, \[plan_id=\d+\]|Location: .*?\], ", "", printed.getvalue())
        return text.replace("== Physical Plan ==", "").strip()

    def show(self, frame: DataFrame) -> None:
        """Print the plan, with what is known of a file or table below its name."""
        for line in self.plan(frame).splitlines():
            tree = re.match(r"[\s:+*()\d-]*", line).group()
            margin = re.sub(r"[^:\s]", " ", tree) + " " * 3
            name, *details = re.split(r",? (?=Batched: |DataFilters: |Format: |\w+Filters: \[|ReadSchema: )", line)
            print(name, *(margin + detail for detail in details), sep="\n")

    def shuffles(self, frame: DataFrame) -> int:
        """How often the plan moves rows between partitions (not counting broadcasts)."""
        lines = self.plan(frame).split("== Initial Plan ==")[0].splitlines()
        return sum(line.lstrip(" :+-*()0123456789").startswith("Exchange ") for line in lines)

    # Jobs

    def mark(self) -> int:
        """A moment to which `since` refers."""
        return max(self._jobs(), default=-1)

    def since(self, mark: int) -> dict[str, int]:
        """What Spark has done since then: jobs, tasks, rows and bytes read from files, rows shuffled."""
        done = dict.fromkeys(("jobs", "stages", "tasks", "rows read", "bytes read", "rows shuffled"), 0)
        store = self.sc._jsc.sc().statusStore()
        for job in [number for number in self._jobs() if number > mark]:
            done["jobs"] += 1
            for stage in map(store.lastStageAttempt, self.sc.statusTracker().getJobInfo(job).stageIds):
                if stage.status().toString() == "SKIPPED":
                    continue
                done["stages"] += 1
                done["tasks"] += stage.numTasks()
                done["rows read"] += stage.inputRecords()
                done["bytes read"] += stage.inputBytes()
                done["rows shuffled"] += stage.shuffleWriteRecords()
        return done

    def rest(self, path: str) -> Any:
        """The answer of Spark's own REST API, the one behind its web pages."""
        url = f"{self.sc.uiWebUrl}/api/v1/applications/{self.sc.applicationId}/{path}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)

    def _jobs(self) -> list[int]:
        self.sc._jsc.sc().listenerBus().waitUntilEmpty()  # what is told of jobs comes a moment later
        return list(self.sc.statusTracker().getJobIdsForGroup(None))

    # Rows

    def sizes(self, frame: DataFrame) -> list[int]:
        """The number of rows in each partition."""
        return frame.rdd.mapPartitions(lambda rows: [sum(1 for _ in rows)]).collect()

    def counted(self, rows: list[Row], schema: str, parts: int = 2) -> tuple[DataFrame, Accumulator[int]]:
        """A frame of these rows, and a counter of how often one of them had to be made."""
        made = self.sc.accumulator(0)

        def make(row: Row) -> Row:
            made.add(1)
            return row

        return self.spark.createDataFrame(self.sc.parallelize(rows, parts).map(make), schema), made

    def connect(self) -> "Connection":
        """A connection of the kind that `deliver` counts."""
        return Connection(*(self.sc.accumulator(0) for _ in range(3)))

    def deliver(
        self, function: Callable[..., Iterable[Any]], records: list[Any], parts: int
    ) -> tuple[list[Any], dict[str, int]]:
        """`mapPartitions` with `function(records, connect)`: the results, and how many connections were made."""
        opened, closed, asked = (self.sc.accumulator(0) for _ in range(3))

        def part(some: Iterator[Any]) -> Iterable[Any]:
            return function(some, lambda: Connection(opened, closed, asked))

        results = self.sc.parallelize(records, parts).mapPartitions(part).collect()
        return results, {"opened": opened.value, "closed": closed.value, "asked": asked.value}


class Connection:
    """Stands for what is costly to open: a partner's service that knows the price of minutes."""

    def __init__(self, opened: Accumulator[int], closed: Accumulator[int], asked: Accumulator[int]) -> None:
        self._closed, self._asked, self._open = closed, asked, True
        opened.add(1)

    def price(self, minutes: float) -> float:
        if not self._open:
            raise RuntimeError("this connection is closed")
        self._asked.add(1)
        return round(1 + 0.15 * minutes, 2)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._closed.add(1)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
