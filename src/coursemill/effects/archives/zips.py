"""Zip archives, whose headers say what they like."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import BinaryIO

from coursemill.effects.archives.archive import CHUNK, Broken, Lister, Member, Meter

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
LONGEST_DIRECTORY = 16 << 20
"""Bytes of the table of contents, which is read as a whole: some 100,000 members."""
LONGEST_END = 1 << 17
"""Bytes of what follows the table: a record, and a comment of 64 kB."""
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""How members may be packed. Zips hardly ever use other ways, and Python unpacks those without a limit."""
ENCRYPTED, UTF8 = 0x1, 0x800
ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    MemoryError,
    RuntimeError,  # NotImplementedError, too
)
"""What the library raises for a file that is no zip, or a damaged one."""


class Zip:
    """A zip file that is open for reading; raises Broken when it cannot be one."""

    def __init__(self, stream: BinaryIO, meter: Meter) -> None:
        self.meter = meter
        try:
            self.zip = zipfile.ZipFile(_Bounded(stream))
        except ERRORS as error:
            raise Broken(f"it is no sound zip: {error}") from error
        self.infos = self.zip.infolist()
        self._refuse_overlaps()
        lister = Lister(meter)
        for place, info in enumerate(self.infos):
            meter.member()
            if not info.filename.endswith("/"):
                lister.add(place, _name(info), info.file_size, _when(info), _problem(info))
        self.listed = lister.listed()

    def contents(self, wanted: Collection[int]) -> Iterator[tuple[Member, Iterator[bytes]]]:
        for member in self.listed.members:
            if member.place in wanted:
                yield member, self._chunks(self.infos[member.place])

    def _chunks(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        unpacked = 0
        try:
            with self.zip.open(info) as stream:
                while chunk := stream.read(CHUNK):
                    unpacked += len(chunk)
                    self.meter.took(len(chunk))
                    self.meter.swollen(unpacked, info.compress_size)
                    yield chunk
        except ERRORS as error:
            raise Broken(f"it cannot be unpacked: {error}") from error
        if unpacked != info.file_size:
            raise Broken(f"it has {unpacked:,} bytes, its header says {info.file_size:,}")

    def _refuse_overlaps(self) -> None:
        """One packed run of bytes that many members share is how a small zip becomes a large one."""
        end = 0
        for info in sorted(self.infos, key=lambda info: info.header_offset):
            if info.header_offset < end and info.compress_size:
                raise Broken("its members overlap, as in bombs")
            end = max(end, info.header_offset + info.compress_size)


class _Bounded(io.RawIOBase):
    """A file of which no more than a table of contents is read at once."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream

    def read(self, size: int = -1, /) -> bytes:
        if size > LONGEST_DIRECTORY:
            raise Broken(f"its table of contents has more than {LONGEST_DIRECTORY >> 20} MB")
        return self.stream.read(size if size >= 0 else LONGEST_END)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it is meant: many programs write UTF-8 and do not say so."""
    name = info.orig_filename
    if not info.flag_bits & UTF8 and not name.isascii():
        try:
            return name.encode("cp437").decode("utf-8")
        except UnicodeError:
            return name
    return name


def _problem(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "it is a link"
    if kind not in (0, stat.S_IFREG) and info.create_system == 3:  # written on Unix: the others have no such kinds
        return "it is no file: a device, a pipe or a socket"
    if info.flag_bits & ENCRYPTED:
        return "it is encrypted"
    if info.compress_type not in METHODS:
        return f"it is packed by method {info.compress_type}; `store` and `deflate` can be read"
    return ""


def _when(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time).astimezone()
    except (ValueError, OverflowError, OSError):
        return None
