"""Zips, each with a trick."""

import io
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursemill.effects.archives.archive import Broken, Exhausted, Meter
from coursemill.effects.archives.zips import Zip
from coursemill.pure.grading.quotas import MB, Quotas

Reading = Callable[..., object]


def made(path: Path, members: dict[str, bytes] | list[tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, data)
    return path


def info(name: str, **about: int) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name)
    for key, value in about.items():
        setattr(found, key, value)
    return found


def patched(path: Path, change: Callable[[bytes], bytes]) -> Path:
    path.write_bytes(change(path.read_bytes()))
    return path


def test_what_is_packed_comes_out(around: Path, read: Reading) -> None:
    members = {"a/nb.ipynb": b"{}" * 10_000, "Müller/ü.txt": b"", "x": bytes(range(256))}
    assert read(made(around / "x.zip", members)).files == members


def test_paths_that_lead_out_are_refused(around: Path, read: Reading) -> None:
    names = ["../secret", "a/../../x", "/etc/passwd", "..\\x", "C:\\x", "a\x07b", "nb\u202eipynb.exe", "\\\\h\\s"]
    found = read(made(around / "x.zip", dict.fromkeys([*names, "good"], b"evil")))
    assert list(found.files) == ["good"]
    assert len(found.refused) == len(names)


@pytest.mark.parametrize("name", [b"nb.ipynb\0.exe", b"\0b.ipynb.txt!"])
def test_a_name_with_nul_is_refused(around: Path, read: Reading, name: bytes) -> None:
    path = made(around / "x.zip", {"nb.ipynb?.exe": b""})
    found = read(patched(path, lambda data: data.replace(b"nb.ipynb?.exe", name)))
    assert found.files == {}
    assert "NUL" in next(iter(found.refused.values()))


@pytest.mark.parametrize(("kind", "said"), [(0o120777, "a link"), (0o020666, "no file"), (0o010644, "no file")])
def test_links_and_devices_are_refused(around: Path, read: Reading, kind: int, said: str) -> None:
    with zipfile.ZipFile(around / "x.zip", "w") as archive:
        archive.writestr(info("nb.ipynb", external_attr=kind << 16, create_system=3), "/etc/passwd")
    found = read(around / "x.zip")
    assert found.files == {}
    assert said in found.refused["nb.ipynb"]


def test_encrypted_members_are_refused(around: Path, read: Reading) -> None:
    path = made(around / "x.zip", {"nb.ipynb": b"x" * 100, "b": b"y"})
    at = path.read_bytes().index(b"PK\x01\x02") + 8
    found = read(patched(path, lambda data: data[:at] + b"\x01\x00" + data[at + 2 :]))
    assert list(found.files) == ["b"]
    assert found.refused["nb.ipynb"] == "it is encrypted"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_that_are_packed_in_rare_ways_are_refused(around: Path, read: Reading, method: int) -> None:
    with zipfile.ZipFile(around / "x.zip", "w", method) as archive:
        archive.writestr("nb.ipynb", b"\0" * 10_000_000)
    found = read(around / "x.zip")
    assert f"method {method}" in found.refused["nb.ipynb"]
    assert found.peak < 5 * MB


def test_an_unknown_method_is_refused(around: Path, read: Reading) -> None:
    path = made(around / "x.zip", {"nb.ipynb": b"x"})
    at = path.read_bytes().index(b"PK\x01\x02") + 10
    found = read(patched(path, lambda data: data[:at] + struct.pack("<H", 99) + data[at + 2 :]))
    assert "method 99" in found.refused["nb.ipynb"]


@pytest.mark.parametrize("claimed", [1, 50, 5000])
def test_wrong_sizes_are_noticed(around: Path, read: Reading, claimed: int) -> None:
    path = made(around / "x.zip", {"nb.ipynb": b"x" * 1000})
    at = path.read_bytes().index(b"PK\x01\x02") + 24
    found = read(patched(path, lambda data: data[:at] + struct.pack("<I", claimed) + data[at + 4 :]))
    assert found.files == {}
    assert "nb.ipynb" in found.refused


def test_a_changed_byte_is_noticed(around: Path, read: Reading) -> None:
    path = made(around / "x.zip", {"nb.ipynb": bytes(range(256)) * 10})
    found = read(patched(path, lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:]))
    assert found.files == {}
    assert "cannot be unpacked" in found.refused["nb.ipynb"]


def test_of_one_path_twice_the_last_counts(around: Path, read: Reading) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = made(around / "x.zip", [("nb.ipynb", b"1"), ("./nb.ipynb", b"2"), ("nb.ipynb", b"3"), ("b", b"")])
    found = read(path)
    assert found.files == {"nb.ipynb": b"3", "b": b""}
    assert "comes later" in found.refused["./nb.ipynb"]


def test_names_of_old_and_careless_programs_are_understood(around: Path, read: Reading) -> None:
    path = made(around / "x.zip", {"M__ller.txt": b"", "M_ller.txt": b""})
    found = read(
        patched(path, lambda data: data.replace(b"M__ller", "Müller".encode()).replace(b"M_ller", b"M\x81ller"))
    )
    assert sorted(found.files) == ["Müller.txt"]  # UTF-8 without its mark, and code page 437: one path


def test_a_name_that_is_not_the_utf8_that_it_says_is_refused(around: Path, read: Reading) -> None:
    found = read(patched(made(around / "x.zip", {"ü": b""}), lambda data: data.replace("ü".encode(), b"\xff\xfe")))
    assert "no sound zip" in found.refused[""]


def overlapping(copies: int, kernel: bytes) -> bytes:
    """Many members that share one packed run of bytes."""
    whole = io.BytesIO()
    made(whole, {"a": kernel})  # type: ignore[arg-type] # zipfile takes both
    data = whole.getvalue()
    start = data.index(b"PK\x01\x02")
    entry = data[start : data.index(b"PK\x05\x06")]
    directory = entry * copies
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, copies, copies, len(directory), start, 0)
    return data[:start] + directory + end


def test_members_that_overlap_are_a_bomb(around: Path, read: Reading) -> None:
    (around / "x.zip").write_bytes(overlapping(1000, b"\0" * 10 * MB))
    found = read(around / "x.zip", keep=False)
    assert found.files == {}
    assert "overlap" in found.refused[""]


def test_zeros_without_end_are_not_read(around: Path, read: Reading) -> None:
    """Real zeros, as far as a test has time to pack them; what follows is never looked at."""
    path = around / "x.zip"
    chunk = b"\0" * MB
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("nb.ipynb", "b"):
            with archive.open(info(name, compress_type=zipfile.ZIP_DEFLATED), "w", force_zip64=True) as member:
                for _ in range(100):
                    member.write(chunk)
    begun = time.monotonic()
    found = read(path, Quotas(file=10 << 30), keep=False)
    assert all("bombs do" in reason for reason in found.refused.values())
    assert len(found.refused) == 2
    assert found.peak < 5 * MB
    assert time.monotonic() - begun < 10
    claimed = read(path)
    assert all("larger than 64 MB" in reason for reason in claimed.refused.values())


def test_a_bomb_whose_header_lies_is_cut_short(around: Path, read: Reading) -> None:
    path = made(around / "x.zip", {"nb.ipynb": b"\0" * 200 * MB})
    at = path.read_bytes().index(b"PK\x01\x02") + 24
    found = read(patched(path, lambda data: data[:at] + struct.pack("<I", 1000) + data[at + 4 :]))
    assert found.files == {}
    assert found.peak < 5 * MB


def test_a_table_of_contents_without_end_is_refused(around: Path, read: Reading) -> None:
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * (20 * MB // len(entry))
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 4, 0)
    (around / "x.zip").write_bytes(b"PK\x03\x04" + directory + end)
    found = read(around / "x.zip")
    assert "table of contents" in found.refused[""]
    assert found.peak < 5 * MB


def test_too_many_members_are_refused(around: Path, read: Reading) -> None:
    path = made(around / "x.zip", {str(n): b"" for n in range(101)})
    assert "more than 100 files" in read(path, Quotas(members=100)).refused[""]


def test_all_bytes_are_counted(around: Path, read: Reading) -> None:
    path = made(around / "x.zip", {str(n): bytes(range(256)) * 4096 for n in range(9)})
    found = read(path, Quotas(total=5 * MB))
    assert len(found.files) == 5
    assert "more than 5 MB in all" in found.refused[""]


def test_time_runs_out() -> None:
    seconds = iter(range(1000))
    data = io.BytesIO()
    made(data, {str(n): b"x" for n in range(10)})  # type: ignore[arg-type] # zipfile takes both
    with pytest.raises(Exhausted, match="longer than 5 seconds"):
        Zip(data, Meter(Quotas(seconds=5), clock=lambda: next(seconds)))


@pytest.mark.parametrize("data", [b"PK\x05\x06", b"PK\x03\x04" * 100, b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_is_refused(around: Path, read: Reading, data: bytes) -> None:
    (around / "x.zip").write_bytes(data)
    assert "no sound zip" in read(around / "x.zip").refused[""]


def test_zip64_is_read(around: Path, read: Reading) -> None:
    with zipfile.ZipFile(around / "x.zip", "w") as archive, archive.open("nb.ipynb", "w", force_zip64=True) as member:
        member.write(b"{}")
    assert read(around / "x.zip").files == {"nb.ipynb": b"{}"}


def sound() -> bytes:
    data = io.BytesIO()
    made(data, {"a/nb.ipynb": b"{}" * 100, "b.txt": bytes(range(256)), "c": b""})  # type: ignore[arg-type] # zipfile takes both
    return data.getvalue()


SOUND = sound()


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.binary(max_size=8)), min_size=1, max_size=6),
    st.integers(0, len(SOUND)),
)
def test_damaged_zips_are_refused_or_read(changes: list[tuple[int, bytes]], cut: int) -> None:
    data = bytearray(SOUND)
    for at, new in changes:
        data[at : at + len(new)] = new
    for whole in (bytes(data), bytes(data[:cut]) + SOUND[cut:], bytes(data[:cut])):
        try:
            archive = Zip(io.BytesIO(whole), Meter(Quotas()))
        except Broken:
            continue
        for member, chunks in archive.contents({one.place for one in archive.listed.members}):
            try:
                assert sum(map(len, chunks)) == member.size
            except Broken:
                continue
