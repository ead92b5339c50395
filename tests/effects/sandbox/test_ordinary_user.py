"""The attacks again where root starts the tests, by a user who is nobody: who grades is seldom root."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from coursemill.effects.sandbox import view

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.sandbox,
    pytest.mark.skipif(os.geteuid() != 0, reason="the other tests are an ordinary user's already"),
]
KERNEL = "coursemill-cpu"
USER = 65533
PROGRAM = """
import json, os, socket, subprocess, sys, time
from pathlib import Path
from jupyter_client.manager import KernelManager
from coursemill.effects.sandbox import servers

servers.IDLE = 1.0
home = Path(sys.argv[1])
secret, mine, marker = home / "vault/hidden_tests.py", home / "mine", f"daemon-{os.getpid()}"
secret.parent.mkdir()
secret.write_text("assert answer == 42")
(home / "work").mkdir()
bait = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
server = socket.create_server(("127.0.0.1", 0))

ATTACK = '''
import json, os, signal, socket, subprocess, sys
done = []
def attack(name, act):
    try:
        act()
        done.append(name)
    except OSError:
        pass
'''
ATTACK += f'''
for path in {[str(secret), f"/proc/{os.getpid()}/root{secret}", f"/proc/1/root{secret}"]}:
    attack("read", lambda: open(path).read())
attack("write", lambda: open({str(mine)!r}, "w"))
attack("write", lambda: open("/proc/sys/kernel/core_pattern", "wb"))
attack("reach", lambda: socket.create_connection(("127.0.0.1", {server.getsockname()[1]}), timeout=2))
attack("look", lambda: open("/proc/{bait.pid}/cmdline").read())
for pid in ({bait.pid}, {os.getpid()}):
    attack("kill", lambda: os.kill(pid, signal.SIGKILL))
attack("rise", lambda: os.setuid(0))
processes = sorted(name for name in os.listdir("/proc") if name.isdigit())
sleep = "import time; time.sleep(600)"
subprocess.Popen(["setsid", "-f", sys.executable, "-c", sleep, {marker!r}])
print(json.dumps({{"done": done, "uid": os.getuid(), "processes": processes}}))
'''

def lives():
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return marker in lines

said = []
manager = KernelManager(kernel_name=KERNEL)
manager.start_kernel(cwd=str(home / "work"))
client = manager.client()
client.start_channels()
client.wait_for_ready(60)
client.execute_interactive(ATTACK, timeout=60, output_hook=lambda m: said.append(m["content"].get("text", "")))
time.sleep(0.5)
before = lives()
client.stop_channels()
manager.shutdown_kernel(now=True)
end = time.monotonic() + 5
while lives() and time.monotonic() < end:
    time.sleep(0.05)
result = {"said": "".join(said), "daemon": [before, lives()], "written": mine.exists(), "bait": bait.poll()}
bait.kill()
bait.wait()
server.close()
for path in servers.runtime().glob("*.socket"):
    servers._end(path)
print(json.dumps(result))
""".replace("kernel_name=KERNEL", f"kernel_name={KERNEL!r}")


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder of the user's, where one that others may enter can be."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    os.chown(folder, USER, USER)
    yield folder
    shutil.rmtree(folder)


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python as the user, to whom this Python's folders are shown also where they are below root's home."""
    environment = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    command = [*view._dropped(), sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=120, check=False)


def test_an_ordinary_user_is_as_safe(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "NOBODY", USER)
    if (tried := run(home, "-c", "import coursemill, os; print(os.getuid())")).returncode:
        pytest.skip(f"another user cannot start this Python: {tried.stderr.strip().splitlines()[-1]}")
    assert int(tried.stdout) == USER
    ran = run(home, "-c", PROGRAM, str(home))
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    said = json.loads(result["said"])
    assert said["done"] == []
    assert said["uid"] == USER, "of the kernel: who starts it, and not root"
    assert said["processes"] == ["1", "2"]
    assert result["daemon"] == [True, False]
    assert not result["written"]
    assert result["bait"] is None
