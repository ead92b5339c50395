"""What a fork does stays with it; each in a child process, as pytest's own has threads at times."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DRIVER = """
import json, os, signal, sys, time
from coursemill.effects import forks, processes
processes.become_subreaper()
spare = os.open(os.devnull, os.O_RDONLY)
kept = []
def work():
    {}
result = forks.call(work, 1.0, spare)
print(json.dumps([result, kept, len(os.listdir('/proc/self/fd')), forks.threads()]))
"""


def called(body: str) -> Any:
    ended = subprocess.run([sys.executable, "-c", DRIVER.format(body)], capture_output=True, check=True, text=True)
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ("kept.append(1); return kept", [[1], ""]),
        ("return 'x' * 1_000_000", ["x" * 1_000_000, ""]),
        ("os.fork(); time.sleep(0.1); return 'once'", ["once", ""]),
        ("os._exit(3)", [None, "ends its process, which ended with exit status 3"]),
        ("os.abort()", [None, "ends its process, which was killed by SIGABRT"]),
        ("time.sleep(60)", [None, "is still running after 1 s"]),
        ("os.close(0); os.closerange(3, 50); time.sleep(60)", [None, "is still running after 1 s"]),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)", [None, "is still running after 1 s"]),
        ("raise SystemExit(0)", [None, "ends its process, which ended with exit status 0"]),
    ],
)
def test_what_comes_back(body: str, result: list[Any]) -> None:
    found, kept, _, threads = called(body)
    assert (found, kept, threads) == (result, [], 1)


def test_no_descriptor_and_no_process_is_left() -> None:
    quiet = called("return 1")
    busy = called("import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True); return os.fork()")
    assert busy[2] == quiet[2]


def test_memory_is_limited() -> None:
    program = (
        "from coursemill.effects import forks\n"
        "with forks.memory(1 << 28):\n"
        "    try:\n        bytearray(1 << 29)\n"
        "    except MemoryError:\n        print('refused')\n"
        "print(len(bytearray(1 << 29)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert ended.stdout.split() == ["refused", str(1 << 29)]


def test_threads_are_counted(tmp_path: Path) -> None:
    program = (
        "import threading\nfrom coursemill.effects import forks\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\nprint(forks.threads())"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "2\n"
