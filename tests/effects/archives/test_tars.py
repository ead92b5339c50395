"""Tars, packed and not, each with a trick."""

import bz2
import gzip
import importlib.util
import io
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursemill.effects.archives.archive import Broken, Exhausted, Meter
from coursemill.effects.archives.tars import Tar, packing
from coursemill.pure.grading.quotas import MB, Quotas

Reading = Callable[..., object]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def made(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT, extra: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=form) as archive:
        for one in extra:
            archive.addfile(one)
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def header(name: str, kind: bytes, size: int = 0, link: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info.tobuf(tarfile.GNU_FORMAT)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_is_packed_comes_out(around: Path, read: Reading, suffix: str, form: int) -> None:
    members = {"a/nb.ipynb": b"{}" * 10_000, "x": bytes(range(256)), "empty": b"", f"{'d' * 60}/{'n' * 60}": b"long"}
    if form != tarfile.USTAR_FORMAT:
        members |= {"Müller.txt": b"ue", f"{'e' * 150}/{'m' * 150}.txt": b"longer"}
    path = written(around / f"x.tar{suffix}", PACKERS[suffix](made(members, form)))
    assert read(path).files == members


def test_a_single_packed_file_comes_out(around: Path, read: Reading) -> None:
    for suffix, pack in PACKERS.items():
        if suffix:
            path = written(around / f"nb.ipynb{suffix}", pack(b"{}" * 10_000))
            assert read(path).files == {"nb.ipynb": b"{}" * 10_000}


def test_several_streams_behind_each_other_come_out(around: Path, read: Reading) -> None:
    data = made({"a": b"1" * 5000, "b": b"2" * 5000})
    for suffix, pack in PACKERS.items():
        path = written(around / f"x.tar{suffix}", b"".join(pack(data[n : n + 700]) for n in range(0, len(data), 700)))
        assert sorted(read(path).files) == ["a", "b"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (b"Z", "nobody knows"),
    ],
)
def test_what_is_no_file_is_refused(around: Path, read: Reading, kind: bytes, said: str) -> None:
    data = header("nb.ipynb", kind, link="/etc/passwd") + made({"b": b"b"})
    found = read(written(around / "x.tar", data))
    assert found.files == {"b": b"b"}
    assert said in found.refused["nb.ipynb"]


def test_paths_that_lead_out_are_refused(around: Path, read: Reading) -> None:
    found = read(written(around / "x.tar", made({"../secret": b"", "/etc/passwd": b"", "good": b""})))
    assert list(found.files) == ["good"]
    assert len(found.refused) == 2


def test_a_link_first_and_a_file_through_it(around: Path, read: Reading) -> None:
    data = header("a", tarfile.SYMTYPE, link="/tmp") + made({"a/x": b"evil"})
    found = read(written(around / "x.tar", data))
    assert found.files == {"a/x": b"evil"}  # a path, and no link
    assert "a" in found.refused


@pytest.mark.parametrize("form", ["old", "0.1", "1.0"])
def test_sparse_files_are_refused(around: Path, read: Reading, form: str) -> None:
    if form == "old":
        block = bytearray(header("nb.ipynb", tarfile.GNUTYPE_SPARSE, 512))
        block[482] = 1
        block[148:156] = b"%06o\0 " % (sum(block[:148]) + 8 * 32 + sum(block[156:]))
        data = bytes(block) + b"\0" * 504 + b"\1" + b"\0" * 7 + b"\0" * 512 + b"\0" * 512
    else:
        info = tarfile.TarInfo("nb.ipynb")
        version = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 40)}
        info.pax_headers = version if form == "1.0" else {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 40)}
        data = info.tobuf(tarfile.PAX_FORMAT)
    found = read(written(around / "x.tar", data + made({"b": b"b"})))
    assert found.files == {"b": b"b"}
    assert "sparse" in found.refused["nb.ipynb"]


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_of_a_gigabyte_is_refused(around: Path, read: Reading, kind: bytes) -> None:
    path = around / "x.tar"
    with path.open("wb") as stream:
        stream.write(made({"a": b"a"})[:1024] + header("nb.ipynb", kind, 1 << 30))
        stream.truncate(1 << 30)
    found = read(path)
    assert found.files == {"a": b"a"}
    assert "more than 1 MB" in found.refused[""]
    assert found.peak < 5 * MB
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    with path.open("wb") as stream:
        stream.write(packed.compress(header("nb.ipynb", kind, 1 << 30)) + packed.compress(b"\0" * MB) + packed.flush())
    assert "more than 1 MB" in read(path).refused[""]


def test_headers_without_end_are_refused(around: Path, read: Reading) -> None:
    data = header("x", tarfile.GNUTYPE_LONGNAME, 512) + b"n" * 512
    found = read(written(around / "x.tar", data * 3000), Quotas(members=1000))
    assert "more than 1,000 files" in found.refused[""]
    assert found.peak < 5 * MB


@pytest.mark.parametrize(
    "record", [b"9999999999 path=x\n", b"x path=y\n", b"2 \n", b"0 path=x\n", b"1" * 5000, b"12 path=\xff\xfe\xfd\n"]
)
def test_damaged_records_are_refused(around: Path, read: Reading, record: bytes) -> None:
    size = len(record)
    data = header("h", tarfile.XHDTYPE, size) + record + b"\0" * (-size % 512) + header("nb.ipynb", tarfile.REGTYPE)
    found = read(written(around / "x.tar", data))
    assert found.files == {} or found.files == {"nb.ipynb": b""}
    assert found.refused or record.startswith(b"9")


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
@pytest.mark.parametrize("tar", [True, False])
def test_bombs_are_cut_short(around: Path, read: Reading, suffix: str, tar: bool) -> None:
    start = header("nb.ipynb", tarfile.REGTYPE, 40 * MB) if tar else b""
    path = written(around / f"x.tar{suffix}", PACKERS[suffix](start + b"\0" * 40 * MB))
    found = read(path, Quotas(file=1 << 40), keep=False)
    assert found.files == {}
    assert any("bombs do" in reason for reason in found.refused.values())
    assert found.peak < (140 if suffix == ".xz" else 12) * MB


def test_xz_gets_no_gigabyte(around: Path, read: Reading) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    path = written(around / "x.xz", lzma.compress(b"x" * 1000, filters=filters))
    assert "cannot be unpacked" in read(path).refused[""]


def test_zstd_is_read_or_refused_with_advice(around: Path, read: Reading) -> None:
    path = written(around / "x.tar.zst", b"\x28\xb5\x2f\xfd" + b"\0" * 100)
    said = "cannot be unpacked" if importlib.util.find_spec("compression") else "this Python cannot read zstd"
    assert said in read(path).refused[""]


@pytest.mark.parametrize("suffix", PACKERS)
def test_what_is_cut_off_is_refused_from_there_on(around: Path, read: Reading, suffix: str) -> None:
    data = PACKERS[suffix](made({"a": os.urandom(50_000), "b": os.urandom(50_000)}))
    found = read(written(around / "x.tar", data[: len(data) * 3 // 4]))
    assert "b" not in found.files
    assert found.refused


def test_a_huge_size_is_refused(around: Path, read: Reading) -> None:
    info = tarfile.TarInfo("nb.ipynb")
    info.size = 1 << 62
    found = read(written(around / "x.tar", info.tobuf(tarfile.GNU_FORMAT) + made({"b": b""})))
    assert found.files == {}
    assert "larger than" in found.refused["nb.ipynb"]
    info.size = -1
    found = read(written(around / "x.tar", info.tobuf(tarfile.GNU_FORMAT)))
    assert found.refused


def test_all_bytes_and_all_time_are_counted(around: Path, read: Reading) -> None:
    path = written(around / "x.tar", made({str(n): bytes(range(256)) * 4096 for n in range(9)}))
    assert "more than 5 MB in all" in read(path, Quotas(total=5 * MB)).refused[""]
    seconds = iter(range(10_000))
    with path.open("rb") as stream, pytest.raises(Exhausted, match="longer than 5 seconds"):
        Tar(stream, "", "x", Meter(Quotas(seconds=5), clock=lambda: next(seconds)))


def test_a_thousand_empty_streams_take_no_time_from_others(around: Path) -> None:
    data = gzip.compress(b"", mtime=0) * 100_000
    seconds = iter(range(10**9))
    meter = Meter(Quotas(seconds=1000), clock=lambda: next(seconds))
    with pytest.raises((Broken, Exhausted)):
        Tar(io.BytesIO(data), "gzip", "x", meter)


WHOLE = made({"a/nb.ipynb": b"{}" * 50, "x" * 120: bytes(range(256))})
SOUND = {suffix: pack(WHOLE) for suffix, pack in PACKERS.items()}


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(SOUND)),
    st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=8)), min_size=1, max_size=6),
    st.one_of(st.none(), st.integers(0, 5000)),
)
def test_damaged_tars_are_refused_or_read(suffix: str, changes: list[tuple[int, bytes]], cut: int | None) -> None:
    data = bytearray(SOUND[suffix])
    for at, new in changes:
        at = at % len(data)
        data[at : at + len(new)] = new
    whole = bytes(data[:cut])
    try:
        archive = Tar(io.BytesIO(whole), packing(whole), "x", Meter(Quotas()))
    except Broken:
        return
    for member, chunks in archive.contents({one.place for one in archive.listed.members}):
        try:
            assert sum(map(len, chunks)) == member.size or not archive.is_tar
        except Broken:
            continue
