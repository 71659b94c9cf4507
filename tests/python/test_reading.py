"""Files as people have them: what is read from each, what is said of it, and each refusal."""

import bz2
import gzip
import io
import json
import lzma
import sys
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet
import pytest

from cmlp.tabular import TableError, read_source, read_table, write_table
from cmlp.tabular.numbers import read_numbers
from cmlp.tabular.reading.batches import read_batches

ROW = {"a": ["1"], "b": ["x"]}
LONG = "".join(f"{k},x{k}\n" for k in range(50))

# Texts: bytes, the table read from them, and words of the remarks.
TEXTS = {
    "commas": (b"a,b\n1,x\n", ROW, ""),
    "semicolons": (b"a;b\n1;x\n2;y\n", {"a": ["1", "2"], "b": ["x", "y"]}, "the separator is ';'"),
    "decimal commas": (b"a;b\n1,5;2\n2,5;3\n", {"a": ["1,5", "2,5"], "b": ["2", "3"]}, "';'"),
    "tabs": (b"a\tb\n1\tx\n", ROW, "a tab"),
    "pipes": (b"a|b\n1|x\n2|y, z\n", {"a": ["1", "2"], "b": ["x", "y, z"]}, "'|'"),
    "Excel's line": (b"sep=;\na;b\n1;x\n", ROW, "1 lines above"),
    "windows line ends": (b"a,b\r\n1,x\r\n", ROW, ""),
    "byte order mark": (b"\xef\xbb\xbfa,b\n1,x\n", ROW, ""),
    "UTF-16": ("a,b\n1,é\n".encode("utf-16"), {"a": ["1"], "b": ["é"]}, "utf-16"),
    "Latin-1": ("Maß,b\n1,é\n".encode("latin-1"), {"Maß": ["1"], "b": ["é"]}, "cp1252"),
    "Windows-1252": ("a,b\n5 €,“x”\n".encode("cp1252"), {"a": ["5 €"], "b": ["“x”"]}, "cp1252"),
    "Cyrillic": (
        "имя,город\nИван,Москва\n".encode("cp1251") * 1,
        {"имя": ["Иван"], "город": ["Москва"]},
        "cp1251",
    ),
    "quotes": (b'"a","b"\n"1","x, ""y""\nz"\n', {"a": ["1"], "b": ['x, "y"\nz']}, ""),
    "comments": (b"# by me\n# 2021, 3\na,b\n1,x\n", ROW, "2 lines above"),
    "title": (
        b"Report 2021\n\na,b,c\n1,x,2\n3,y,4\n",
        {"a": ["1", "3"], "b": ["x", "y"], "c": ["2", "4"]},
        "above",
    ),
    "padded title": (b"Report,,\na,b,c\n1,x,2\n", {"a": ["1"], "b": ["x"], "c": ["2"]}, "1 lines above"),
    "hash in the header": (b"#a,b\n1,x\n", ROW, ""),
    "no header": (b"1,x\n2,y\n", {"column 1": ["1", "2"], "column 2": ["x", "y"]}, "no header line"),
    "years as header": (b"2019,2020\n1,2\n", {"2019": ["1"], "2020": ["2"]}, ""),
    "blank and repeated names": (
        b"a,,a\n1,2,3\n",
        {"a": ["1"], "unnamed": ["2"], "a 2": ["3"]},
        "'unnamed', 'a 2'",
    ),
    "blanks around names": (b" a , b\n1,x\n", ROW, ""),
    "short and long rows": (
        b"a,b,c\n1,x\n2,y,5\n3,z,6,,\n",
        {"a": ["1", "2", "3"], "b": ["x", "y", "z"], "c": ["", "5", "6"]},
        "2 rows have fewer cells than the header or blank ones too many (the first is line 2)",
    ),
    "one column": (b"y\nx\nz\n", {"y": ["x", "z"]}, ""),
    "blank lines": (b"a,b\n\n1,x\n\n", ROW, ""),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name, tmp_path):
    data, table, remark = TEXTS[name]
    (tmp_path / "t.csv").write_bytes(data)
    source = read_source(tmp_path / "t.csv")
    assert source.table.to_pydict() == table
    assert remark in "; ".join(source.remarks)
    assert remark or not source.remarks


def archive(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("inside.csv", data)
    return out.getvalue()


PACKED = {
    "csv.gz": gzip.compress,
    "csv.bz2": bz2.compress,
    "csv.xz": lzma.compress,
    "csv.zip": archive,
    "zip": archive,
    "csv.zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    "csv": gzip.compress,  # what a file begins with counts, not its name
}


@pytest.mark.parametrize("suffix", PACKED)
def test_compressed_files(suffix, tmp_path):
    path = tmp_path / f"t.{suffix}"
    path.write_bytes(PACKED[suffix](b"a,b\n1,x\n"))
    assert read_table(path).to_pydict() == ROW


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"], "c": [0.5, 1.5, np.nan]})
TYPED = {"a": [1, 2, 3], "b": ["x", None, "z"], "c": [0.5, 1.5, None]}
FORMATS = {
    "parquet": lambda path: pa.parquet.write_table(pa.table(TYPED), path),
    "feather": lambda path: pa.feather.write_feather(pa.table(TYPED), path),
    "orc": lambda path: pa.orc.write_table(pa.table(TYPED), path),
    "xlsx": lambda path: FRAME.to_excel(path, index=False),
    "ods": lambda path: FRAME.to_excel(path, index=False, engine="odf"),
    "jsonl": lambda path: FRAME.to_json(path, orient="records", lines=True),
    "json": lambda path: FRAME.to_json(path, orient="records"),
}


@pytest.mark.parametrize("suffix", FORMATS)
def test_formats_with_types(suffix, tmp_path):
    path = tmp_path / f"t.{suffix}"
    if suffix in ("xlsx", "ods"):
        pytest.importorskip({"xlsx": "openpyxl", "ods": "odf"}[suffix])
    FORMATS[suffix](path)
    assert read_table(path).to_pydict() == TYPED


def test_sheets(tmp_path):
    pytest.importorskip("openpyxl")
    path = tmp_path / "t.xlsx"
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame({"only": ["a note"]}).head(0).to_excel(writer, sheet_name="Notes", index=False)
        pd.DataFrame([["Sales", None], ["a", "b"], [1, "x"]]).to_excel(
            writer, sheet_name="Data", index=False, header=False
        )
    source = read_source(path)
    assert source.table.to_pydict() == {"a": [1], "b": ["x"]}
    assert "sheet 'Data' is read" in source.remarks[0]
    with pytest.raises(TableError, match="there is no sheet 'Nope'; the sheets are Notes, Data"):
        read_table(path, sheet="Nope")


def test_nested_json_and_lists(tmp_path):
    (tmp_path / "t.json").write_text(
        json.dumps({"rows": [{"a": {"b": 1, "c": ["x", "y"]}}, {"a": {"b": 2}}]})
    )
    assert read_table(tmp_path / "t.json").to_pydict() == {"a.b": [1, 2], "a.c": ["x|y", None]}


def test_several_files_and_folders(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    (tmp_path / "2.csv").write_text("b,a\ny,2\n")
    both = {"a": ["1", "2"], "b": ["x", "y"]}
    assert read_table(tmp_path / "1.csv", tmp_path / "2.csv").to_pydict() == both
    assert read_table(tmp_path).to_pydict() == both
    (tmp_path / "3.csv").write_text("a\n3\n")
    with pytest.raises(TableError, match=r"3.csv: lacks the columns b of .*1.csv"):
        read_table(tmp_path)


def test_the_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n1,x\n")))
    assert read_table("-").to_pydict() == ROW


@pytest.mark.parametrize("kind", ["zip", "xlsx"])
def test_what_an_archive_holds_decides(kind, tmp_path, monkeypatch):
    if kind == "xlsx":
        pytest.importorskip("openpyxl")
        FRAME.to_excel(tmp_path / "t.xlsx", index=False)
    data = archive(b"a,b\n1,x\n") if kind == "zip" else (tmp_path / "t.xlsx").read_bytes()
    (tmp_path / "t").write_bytes(data)
    (tmp_path / "packed").write_bytes(archive(data))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    for path in ("-", tmp_path / "t", tmp_path / "packed")[: 3 if kind == "xlsx" else 2]:
        assert read_table(path).to_pydict() == (ROW if kind == "zip" else TYPED)


def test_structs_become_columns(tmp_path):
    rows = [{"a": {"b": 1, "c": {"d": "x"}}}, {"a": {"b": 2, "c": None}}]
    pa.parquet.write_table(pa.table({"a": [row["a"] for row in rows]}), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").to_pydict() == {"a.b": [1, 2], "a.c.d": ["x", None]}


def test_words_for_missing(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\nNA,x\n1, NA\n")
    assert read_table(tmp_path / "t.csv", missing=["NA"]).to_pydict() == {"a": [None, "1"], "b": ["x", None]}


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".pq"])
def test_what_is_written_is_read(suffix, tmp_path):
    frame = pd.DataFrame({"a, b": ["x", 'y "z"', "one\ntwo"], "n": [1, 2, 3]})
    write_table(frame, tmp_path / f"t{suffix}")
    table = read_table(tmp_path / f"t{suffix}")
    assert table.column_names == ["a, b", "n"]
    assert table["a, b"].to_pylist() == frame["a, b"].tolist()
    assert [int(n) for n in table["n"].to_pylist()] == [1, 2, 3]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_large_files_come_in_pieces(suffix, tmp_path, monkeypatch):
    monkeypatch.setattr("cmlp.tabular.reading.batches.PIECE", 1 << 12)
    monkeypatch.setattr("cmlp.tabular.reading.batches.ROWS", 100)
    frame = pd.DataFrame({"a": np.arange(2000), "b": ["x, y"] * 2000})
    write_table(frame, tmp_path / f"t.{suffix}")
    pieces = [source.table for source in read_batches(tmp_path / f"t.{suffix}")]
    assert len(pieces) > 1
    assert [int(v) for piece in pieces for v in piece["a"].to_pylist()] == list(range(2000))


# Texts that are read in pieces as they are read at once.
ODD_TEXTS = {
    "short rows": ("t.csv", "a,b\n" + "".join(f"{k},x\n" if k % 7 else f"{k}\n" for k in range(5001))),
    "blank lines": ("t.csv", "a,b\n" + "".join(f"{k},x\n\n" if k % 7 else f"{k}\n" for k in range(5000))),
    "one column with blank lines": ("t.csv", "a\n" + "".join(f"{k}\n\n" for k in range(5000))),
    "the suffix names the separator": ("t.tsv", "a,b\n" + "".join(f"{k},{k + 1}\n" for k in range(5000))),
    "quotes": ("t.csv", "a,b\n" + "".join(f'{k},"x\n""y"""\n' for k in range(5000))),
}


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_pieces_have_the_rows_of_the_file(name, tmp_path, monkeypatch):
    monkeypatch.setattr("cmlp.tabular.reading.batches.PIECE", 1 << 12)
    file, text = ODD_TEXTS[name]
    (tmp_path / file).write_text(text)
    pieces = [source.table for source in read_batches(tmp_path / file)]
    assert len(pieces) > 1
    assert pa.concat_tables(pieces).to_pydict() == read_table(tmp_path / file).to_pydict()


@pytest.mark.parametrize(
    ("last", "message"),
    [(b"1,2,3\n", "has 3 cells, the header has 2: '1,2,3'"), (b"caf\xe9,1\n", "cannot be read in pieces: ")],
)
def test_bad_rows_in_a_later_piece(last, message, tmp_path, monkeypatch):
    monkeypatch.setattr("cmlp.tabular.reading.batches.PIECE", 1 << 12)
    monkeypatch.setattr("cmlp.tabular.reading.batches.SAMPLE", 1 << 12)
    (tmp_path / "t.csv").write_bytes(b"a,b\n" + b"1,x\n" * 5000 + last)
    with pytest.raises(TableError) as caught:
        list(read_batches(tmp_path / "t.csv"))
    assert message in str(caught.value)


# Files: name -> (content, what the message says).
BAD_FILES = {
    "empty.csv": (b"", "the file is empty"),
    "header.csv": (b"a,b\n", "the table has a header but no rows"),
    "none.parquet": (None, "there is no such file"),
    "broken.xlsx": (b"nothing", "cannot be read"),
    "ragged.csv": (
        b"a,b\n1,2\n1,2,3\n4,5\n",
        "line 3 has 3 cells, the header has 2: '1,2,3'; mend the line (a text that holds the separator",
    ),
    "cut.csv.gz": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03K", "cannot be decompressed"),
    "text.parquet": (b"a,b\n1,2\n", "cannot be read"),
    "picture.dat": (
        b"\x89PNG\x00\x01" + bytes(100),
        "this is no text file and no table format that cmlp knows",
    ),
    "number.json": (b"5", "the JSON holds no rows"),
    "broken.json": (b"[{]", "cannot be read as JSON"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(name, tmp_path):
    content, message = BAD_FILES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError) as caught:
        read_table(tmp_path / name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_fit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("cmlp.tabular.reading.content.GROWTH", 1e12)
    (tmp_path / "t.csv").write_text(LONG)
    with pytest.raises(TableError, match="GB are free: train on a part of its rows"):
        read_table(tmp_path / "t.csv")


def test_a_table_is_written_in_known_formats_only(tmp_path):
    with pytest.raises(TableError, match=r"the suffix does not name a format to write; use one of .csv"):
        write_table(ROW, tmp_path / "t.doc")


def test_a_text_without_a_row_of_a_table_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b",by,\n1\x0c\xd4-f,e8rd\x01\xff\xff\xff\xff\xff\xfe\xb5\xf5,sed,0\n")
    with pytest.raises(TableError, match="line 2 has 4 cells, the header has 3"):
        read_table(path)


@pytest.mark.parametrize(
    ("cells", "said"), [(["5 MB", "7 MB", "8 mb"], "in MB"), (["5 kg", "6 kg"], "in kg")]
)
def test_units_are_said_as_the_cells_write_them(cells, said):
    assert read_numbers(pa.array(cells)).format.description() == said
