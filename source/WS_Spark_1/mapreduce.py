"""Hadoop's own MapReduce, run by the Hadoop libraries that come with Spark: real jobs, in one process."""

from pathlib import Path

from pyspark.sql import SparkSession

TYPES = {"text": "org.apache.hadoop.io.Text", "long": "org.apache.hadoop.io.LongWritable"}
LIBRARY = "org.apache.hadoop.mapreduce.lib."


class Hadoop:
    """`run` works like `hadoop jar` on a cluster, but with Hadoop's local job runner and local files."""

    def __init__(self, spark: SparkSession, scratch: Path) -> None:
        self._java = spark.sparkContext._jvm
        self._scratch = scratch

    def run(
        self,
        source: Path,
        target: Path,
        *,
        mapper: str,
        reducer: str,
        combiner: str = "",
        key: str = "text",
        value: str = "long",
        reads: str = "TextInputFormat",
        writes: str = "TextOutputFormat",
        order: str = "",
        **settings: str,
    ) -> dict[str, int]:
        """Run one MapReduce job from the files in `source` to new files in `target`; return Hadoop's counters."""
        hadoop, library = self._java.org.apache.hadoop, self._java.org.apache.hadoop.mapreduce.lib
        conf = hadoop.conf.Configuration()
        fixed = {"mapreduce.framework.name": "local", "fs.defaultFS": "file:///"}
        fixed["hadoop.tmp.dir"] = str(self._scratch.resolve())
        for name, setting in {**fixed, **settings}.items():
            conf.set(name, setting)
        job = hadoop.mapreduce.Job.getInstance(conf, target.name)
        job.setMapperClass(self._class(LIBRARY + mapper))
        job.setReducerClass(self._class(LIBRARY + reducer if reducer else "org.apache.hadoop.mapreduce.Reducer"))
        if combiner:
            job.setCombinerClass(self._class(LIBRARY + combiner))
        job.setOutputKeyClass(self._class(TYPES[key]))
        job.setOutputValueClass(self._class(TYPES[value]))
        job.setInputFormatClass(self._class(f"{LIBRARY}input.{reads}"))
        job.setOutputFormatClass(self._class(f"{LIBRARY}output.{writes}"))
        if order:
            job.setSortComparatorClass(self._class(f"org.apache.hadoop.io.{order}"))
        library.input.FileInputFormat.addInputPath(job, hadoop.fs.Path(str(source.resolve())))
        library.output.FileOutputFormat.setOutputPath(job, hadoop.fs.Path(str(target.resolve())))
        if not job.waitForCompletion(False):
            raise RuntimeError(f"the job {target.name} failed")
        return {counter.getName(): counter.getValue() for group in _all(job.getCounters()) for counter in _all(group)}

    def _class(self, name: str) -> object:
        return self._java.org.apache.spark.util.Utils.classForName(name, True, False)


def _all(java):
    """The items of a Java Iterable (Java objects have no Python types)."""
    iterator = java.iterator()
    while iterator.hasNext():
        yield iterator.next()
