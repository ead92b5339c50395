"""What a kernel in the sandbox may use, in bytes, seconds and pieces."""

from __future__ import annotations

from dataclasses import asdict, dataclass

MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """TensorFlow, Spark with its JVM, and Scrapy with a server all work within the defaults."""

    memory: int = 4096 * MB
    """Of all its processes together, and of the private data of each."""
    processes: int = 1024
    """And threads."""
    cpu: int = 3600
    """Seconds of processor time, of all its processes together."""
    file: int = 1024 * MB
    """The longest that a file may become."""
    disk: int = 512 * MB
    """What fits into its working directory, and again into its `/tmp`."""
    shared: int = 256 * MB
    """What fits into `/dev/shm`."""
    output: int = 128 * MB
    """What it may send to its clients: results, pictures and prints, all together."""
    descriptors: int = 4096
    """Files and sockets that a process may have open."""
    sockets: int = 1024
    """Sockets of all its processes together."""

    def order(self) -> dict[str, int]:
        """As the sandbox is told."""
        return asdict(self)
