"""Tar archives, packed or not, and single packed files: read as streams, with every header's size bounded."""

from __future__ import annotations

import bz2
import importlib
import lzma
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Literal, Protocol

from coursemill.effects.archives.archive import CHUNK, Broken, Lister, Member, Meter

Packing = Literal["", "gzip", "bzip2", "xz", "zstd"]
MAGIC: dict[bytes, Packing] = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
BLOCK = tarfile.BLOCKSIZE
PACKED = 1 << 14
"""Packed bytes that are read at a time."""
LONGEST_HEADER = 1 << 20
"""Bytes of the extended header of a member: its long name, attributes of its file system."""
MEMORY = 128 << 20
"""What unpacking may take: twice what `xz -9` needs."""
HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
KINDS = {
    tarfile.SYMTYPE: "it is a link",
    tarfile.LNKTYPE: "it is a link to another member",
    tarfile.CHRTYPE: "it is a device",
    tarfile.BLKTYPE: "it is a device",
    tarfile.FIFOTYPE: "it is a pipe",
    tarfile.GNUTYPE_SPARSE: "it is a sparse file",
}
ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError, tarfile.TarError, MemoryError)


class Tar:
    """A tar archive, or a packed file that holds none and is then its only member, called `name`.

    Raises Broken when its first header is no tar's and it is not packed.
    """

    def __init__(self, stream: BinaryIO, packing: Packing, name: str, meter: Meter) -> None:
        self.stream, self.packing, self.name, self.meter = stream, packing, name, meter
        self.is_tar = is_header(self._unpacked().read(BLOCK))
        if not self.is_tar and not packing:
            raise Broken("it is no sound tar")
        lister = Lister(meter)
        if self.is_tar:
            try:
                for place, (entry, _) in enumerate(self._entries()):
                    lister.add(place, entry.name, entry.size, entry.when, entry.problem)
            except Broken as error:
                lister.refuse("", f"what follows is not read: {error}")
        else:
            lister.add(0, name, 0, None)
        self.listed = lister.listed()

    def contents(self, wanted: Collection[int]) -> Iterator[tuple[Member, Iterator[bytes]]]:
        members = {member.place: member for member in self.listed.members if member.place in wanted}
        if not self.is_tar:
            for member in members.values():
                yield member, self._whole()
            return
        try:
            for place, (entry, unpacked) in enumerate(self._entries()):
                if place in members:
                    yield members[place], unpacked.chunks(entry.size)
        except Broken:
            return  # said in the list

    def _whole(self) -> Iterator[bytes]:
        """A packed file that is no archive."""
        unpacked, size = self._unpacked(), 0
        while chunk := unpacked.read(CHUNK):
            size += len(chunk)
            if size > self.meter.quotas.file:
                raise Broken(f"it is larger than {self.meter.quotas.file >> 20:,} MB")
            yield chunk

    def _entries(self) -> Iterator[tuple[_Entry, _Unpacked]]:
        """Every member, with the stream at its first byte."""
        unpacked = self._unpacked()
        more: dict[str, str] = {}
        while header := _header(unpacked):
            self.meter.member()
            if header.type in HEADERS:
                more |= _extended(header, unpacked)
                continue
            entry = _entry(header, more)
            more = {}
            end = unpacked.position + _blocks(entry.stored)
            if header.type != tarfile.DIRTYPE:
                yield entry, unpacked
            unpacked.skip(end - unpacked.position)

    def _unpacked(self) -> _Unpacked:
        self.stream.seek(0)
        return _Unpacked(self.stream, self.packing, self.meter)


def packing(start: bytes) -> Packing:
    """How a file that starts so is packed; empty for one that is not."""
    return next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), "")


def is_header(block: bytes) -> bool:
    """Whether a tar may start so: the header's sum is right."""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    size: int
    stored: int
    """Bytes that follow the header."""
    when: datetime | None
    problem: str


class _Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Unpacked:
    """What a stream unpacks to, read forwards only, counted, and ended where it swells."""

    def __init__(self, stream: BinaryIO, packing: Packing, meter: Meter) -> None:
        self.stream, self.packing, self.meter = stream, packing, meter
        self.reader = _reader(stream, packing, meter.tick)
        self.position = 0

    def read(self, size: int) -> bytes:
        """So many bytes, fewer at the end; never ask for more than is to be in memory."""
        try:
            data = self.reader.read(size)
        except ERRORS as error:
            raise Broken(f"it cannot be unpacked: {error}") from error
        self.position += len(data)
        self.meter.took(len(data))
        if self.packing:
            self.meter.swollen(self.position, self.stream.tell())
        return data

    def skip(self, size: int) -> None:
        if not self.packing:
            try:
                self.position = self.stream.seek(size, 1)
            except (OSError, OverflowError) as error:
                raise Broken("a header is damaged: it has a size that no file can have") from error
            return
        for _ in self.chunks(size):
            pass

    def chunks(self, size: int) -> Iterator[bytes]:
        while size > 0:
            data = self.read(min(size, CHUNK))
            if not data:
                raise Broken("it ends in the midst of a file")
            size -= len(data)
            yield data


class _Filled:
    """Reads a stream through a decompressor, with as much memory as is asked for and no more."""

    def __init__(self, stream: BinaryIO, make: Callable[[], Any], tick: Callable[[], None]) -> None:
        self.stream, self.make, self.tick = stream, make, tick
        self.unpacker = make()

    def read(self, size: int, /) -> bytes:
        found = b""
        while len(found) < size:
            if self.unpacker.eof:
                rest = self.unpacker.unused_data or self.stream.read(PACKED)
                if not rest.strip(b"\0"):
                    break
                self.unpacker = self.make()  # several streams, one behind the other
                self.tick()
            else:
                rest = self.stream.read(PACKED) if self.unpacker.needs_input else b""
            data = self.unpacker.decompress(rest, size - len(found))
            if not rest and not data and not self.unpacker.eof:
                raise EOFError("it ends in the midst")
            found += data
        return found


class _Gunzip:
    """zlib's decompressor in the shape of the others."""

    def __init__(self) -> None:
        self.inner = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self.inner.eof

    @property
    def unused_data(self) -> bytes:
        return self.inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self.inner.unconsumed_tail

    def decompress(self, data: bytes, most: int) -> bytes:
        return self.inner.decompress(self.inner.unconsumed_tail + data, most)


def _reader(stream: BinaryIO, packing: Packing, tick: Callable[[], None]) -> _Reader:
    if packing == "gzip":
        return _Filled(stream, _Gunzip, tick)
    if packing == "bzip2":
        return _Filled(stream, bz2.BZ2Decompressor, tick)
    if packing == "xz":
        return _Filled(stream, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY), tick)
    return _Filled(stream, _zstd(), tick) if packing == "zstd" else stream


def _zstd() -> Callable[[], Any]:
    try:
        zstd: Any = importlib.import_module("compression.zstd")  # from Python 3.14 on
    except ImportError as error:
        raise Broken("this Python cannot read zstd: pack it as zip or tar.gz") from error
    options = {zstd.DecompressionParameter.window_log_max: MEMORY.bit_length() - 1}
    return lambda: zstd.ZstdDecompressor(options=options)


def _header(unpacked: _Unpacked) -> tarfile.TarInfo | None:
    """The next header; None at the end."""
    block = unpacked.read(BLOCK)
    if not block.strip(b"\0"):
        return None
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError) as error:
        raise Broken(f"a header is damaged: {error}") from error
    if header.size < 0:
        raise Broken("a header is damaged: it has a negative size")
    if header.type == tarfile.GNUTYPE_SPARSE:
        more = block[482]
        while more:  # further maps of holes
            block = unpacked.read(BLOCK)
            if len(block) < BLOCK:
                raise Broken("it ends in the midst of a header")
            more = block[504]
    return header


def _extended(header: tarfile.TarInfo, unpacked: _Unpacked) -> dict[str, str]:
    """What a header says of the next one."""
    if header.size > LONGEST_HEADER:
        raise Broken(f"a header has more than {LONGEST_HEADER >> 20} MB")
    data = b"".join(unpacked.chunks(_blocks(header.size)))[: header.size]
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": data.split(b"\0")[0].decode("utf-8", "surrogateescape")}
    if header.type in (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE):
        return {}
    return dict(_records(data))


def _records(data: bytes) -> Iterator[tuple[str, str]]:
    """The `length key=value` lines of a POSIX header, as far as they matter here."""
    start = 0
    while start < len(data) and data[start]:
        blank = data.find(b" ", start, start + 9)
        length = data[start:blank]
        if blank < 0 or not length.isdigit() or int(length) <= blank - start + 1:
            raise Broken("a header is damaged")
        key, _, value = data[blank + 1 : start + int(length) - 1].partition(b"=")
        start += int(length)
        if key in (b"path", b"size", b"mtime"):
            yield key.decode(), value.decode("utf-8", "surrogateescape")
        elif key.startswith(b"GNU.sparse"):
            yield "sparse", "1"


def _entry(header: tarfile.TarInfo, more: dict[str, str]) -> _Entry:
    digits = more.get("size", "")
    size = int(digits) if digits.isdecimal() and len(digits) < 20 else header.size
    try:
        when = datetime.fromtimestamp(float(more.get("mtime", header.mtime))).astimezone()
    except (ValueError, OverflowError, OSError):
        when = None
    problem = "it is a sparse file" if "sparse" in more else KINDS.get(header.type, "")
    if not problem and not header.isreg() and header.type != tarfile.DIRTYPE:
        problem = "it is of a kind that nobody knows"
    empty = header.type in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    stored = 0 if empty or header.type == tarfile.DIRTYPE else size
    return _Entry(more.get("path", header.name), size, stored, when, problem)


def _blocks(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
