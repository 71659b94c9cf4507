"""The bytes of a file: decompressed by what they begin with, and as UTF-8 whatever they were."""

import bz2
import codecs
import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from cmlp.tabular.errors import TableError, printable

# What a compressed file begins with.
MAGIC: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ\x00": lzma.decompress,
    b"\x28\xb5\x2f\xfd": lambda data: pa.input_stream(pa.BufferReader(data), compression="zstd").read(),
    b"\x04\x22\x4d\x18": lambda data: pa.input_stream(pa.BufferReader(data), compression="lz4").read(),
}
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# One of these is in a zip archive that is a spreadsheet, of Excel and of ODS.
WORKBOOK = {"[Content_Types].xml", "mimetype"}
SAMPLE = 1 << 20
# Text in which no other bytes stand for letters is Windows-1252, of which Latin-1 is a part.
WESTERN = set(
    "àâäáãåæçèéêëìíîïñòóôõöøœùúûüýÿßÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØŒÙÚÛÜÝ€£¥§°²³µ½¼¾«»“”„‘’‚–—…·©®™ºª¿¡×±\xa0"
)
MAC = ("roman", "iceland", "turkish", "latin2", "greek", "cyrillic")  # hardly in use, and often guessed
# A table in memory takes about so many times the bytes of its text file.
GROWTH = 4


def load(path: Path) -> bytes:
    """Read a file and decompress it; a zip archive must hold one file.

    Raises
    ------
    TableError
        If it is too large for the memory, or damaged.
    """
    check_memory(path, path.stat().st_size)
    return unpacked(path.read_bytes(), str(path))


def unpacked(data: bytes, name: str) -> bytes:
    """Decompress; a TableError when it is damaged."""
    try:
        return _unpack(data, name)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException) as error:
        raise TableError(f"{name}: cannot be decompressed: {' '.join(str(error).split())}") from error


def _unpack(data: bytes, name: str) -> bytes:
    """Decompress what begins as a compressed file does; a spreadsheet, itself a zip archive, stays one."""
    for magic, decompress in MAGIC.items():
        if data.startswith(magic):
            return decompress(data)
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if WORKBOOK & set(archive.namelist()):
                return data
            members = [
                info for info in archive.infolist() if not info.is_dir() and "__MACOSX" not in info.filename
            ]
            if len(members) != 1:
                listed = ", ".join(printable(info.filename) for info in members[:5])
                raise TableError(
                    f"{name}: the archive holds {len(members)} files ({listed}); unpack the one to read"
                )
            return archive.read(members[0])
    return data


def check_memory(path: Path, size: int) -> None:
    """Refuse early what cannot fit: a text file takes about 4 times its size."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if size * GROWTH > free + _cached():
        raise TableError(
            f"{path}: {size / 1e9:.1f} GB of text need about {size * GROWTH / 1e9:.0f} GB of memory, "
            f"{(free + _cached()) / 1e9:.0f} GB are free: train on a part of its rows"
        )


def _cached() -> int:
    """Bytes of memory that the system can reclaim."""
    try:
        fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        return max(
            int(fields["MemAvailable"].split()[0]) * 1024
            - os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
            0,
        )
    except (OSError, KeyError, ValueError):
        return 0


def to_utf8(data: bytes) -> tuple[bytes, str]:
    """Text of any encoding as UTF-8 without a mark, and the name of the encoding it had."""
    encoding = next((name for mark, name in BOMS if data.startswith(mark)), None) or _find_encoding(data)
    if encoding == "utf-8":
        return data, encoding
    return data.decode(encoding, "replace").encode(), encoding.removesuffix("-sig")


def _find_encoding(data: bytes) -> str:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
        return "utf-8"
    except UnicodeDecodeError:
        pass
    high = bytes(byte for byte in set(data[:SAMPLE]) if byte > 127).decode("cp1252", "replace")
    if set(high) <= WESTERN:
        return "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(data[:SAMPLE], cp_exclusion=[f"mac_{name}" for name in MAC]).best()
    return "cp1252" if best is None else best.encoding
