"""A real Spark Standalone cluster on this machine: one master, one worker, nothing but loopback."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pyspark

SPARK_HOME = Path(pyspark.__file__).parent
LEAN_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


class Standalone:
    """Start it with `with Standalone(cores=2, memory="1g") as cluster`; it is gone after the block."""

    def __init__(self, cores: int = 2, memory: str = "1g") -> None:
        self.cores, self.memory = cores, memory
        self.url = f"spark://127.0.0.1:{_free_port()}"
        self.web = f"http://127.0.0.1:{_free_port()}"
        self._folder = Path(tempfile.mkdtemp(prefix="spark-standalone-"))
        self._processes: list[subprocess.Popen] = []

    def __enter__(self) -> "Standalone":
        address = ["--host", "127.0.0.1"]
        ports = ["--port", self.url.rsplit(":", 1)[1], "--webui-port", self.web.rsplit(":", 1)[1]]
        size = ["--cores", str(self.cores), "--memory", self.memory, "--work-dir", str(self._folder)]
        self._start("master.Master", *address, *ports)
        self._start("worker.Worker", *address, "--webui-port", str(_free_port()), *size, self.url)
        try:
            self._wait_for_worker(seconds=60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(timeout=30)
        shutil.rmtree(self._folder, ignore_errors=True)

    def status(self) -> dict:
        """What the master says of itself, its workers and its applications."""
        with urllib.request.urlopen(f"{self.web}/json/", timeout=10) as answer:
            return json.load(answer)

    def submit(self, script: str, *arguments: str, **options: str) -> str:
        """Run `script` on the cluster by spark-submit and return what it printed.

        `executor_memory="512m"` stands for `--executor-memory 512m`, and so on.
        """
        flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
        conf = [
            "--conf",
            "spark.ui.enabled=false",
            "--conf",
            f"spark.executor.extraJavaOptions={LEAN_JAVA}",
            "--driver-java-options",
            LEAN_JAVA,
        ]
        command = [str(SPARK_HOME / "bin/spark-submit"), "--master", self.url, *flags, *conf, script, *arguments]
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=180)
        if done.returncode:
            raise RuntimeError(f"spark-submit ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return done.stdout

    def _start(self, role: str, *arguments: str) -> None:
        command = [str(SPARK_HOME / "bin/spark-class"), f"org.apache.spark.deploy.{role}", *arguments]
        with (self._folder / f"{role}.log").open("w") as log:
            self._processes.append(subprocess.Popen(command, env=_environment(), stdout=log, stderr=log))

    def _wait_for_worker(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if any(process.poll() is not None for process in self._processes):
                break
            try:
                if self.status()["aliveworkers"]:
                    return
            except OSError:
                pass
            time.sleep(0.2)
        logs = "\n".join(log.read_text()[-1500:] for log in self._folder.glob("*.log"))
        raise RuntimeError(f"the cluster did not come up:\n{logs}")


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": LEAN_JAVA,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
