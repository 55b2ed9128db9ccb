#!/usr/bin/env python3
"""Writes files.json: small files of many kinds as other programs write them, in base64, for Tests/TestSupport/ReferenceFiles.swift.

    pip install numpy pandas pyarrow pillow h5py scipy openpyxl xlwt odfpy joblib pyreadr pyreadstat duckdb fastavro tables
    Tests/Reference/make_files.py        (zstd, lz4, lzip and compress from the system)
"""
import base64, bz2, fractions, gzip, io, json, lzma, os, pickle, sqlite3, subprocess, tarfile, tempfile, zipfile, zlib

import h5py, joblib, numpy as np, pandas as pd, pyarrow as pa, pyarrow.orc, pyreadr, pyreadstat, scipy.io, duckdb, fastavro
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = tempfile.mkdtemp()
os.chdir(FOLDER)
files = {}


def keep(group, name, content, limit=None):
    files.setdefault(group, {})[name] = base64.b64encode(content[:limit]).decode()


def content(path):
    with open(path, "rb") as file:
        return file.read()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(save=np.savez, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


# A table, compressed: the text of `compressed/plain`.
text = ("a,b,y\n" + "".join(f"{i},{i * i % 7},{i % 5}\n" for i in range(40))).encode()


def tool(*command):
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True).stdout


def zipped(method, entries=None):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in (entries or {"folder/table.csv": text}).items():
            archive.writestr(name, data)
    return file.getvalue()


keep("compressed", "plain", text)
keep("compressed", "gzip", gzip.compress(text, mtime=0))
keep("compressed", "gzip twice", gzip.compress(text[:100], mtime=0) + gzip.compress(text[100:], mtime=0))
keep("compressed", "zlib", zlib.compress(text))
keep("compressed", "bzip2", bz2.compress(text))
keep("compressed", "xz", lzma.compress(text))
keep("compressed", "lzma", lzma.compress(text, lzma.FORMAT_ALONE))
keep("compressed", "zstd", tool("zstd", "-q"))
keep("compressed", "lz4", tool("lz4", "-q"))
keep("compressed", "zip stored", zipped(zipfile.ZIP_STORED))
keep("compressed", "zip deflated", zipped(zipfile.ZIP_DEFLATED))
keep("compressed", "zip bzip2", zipped(zipfile.ZIP_BZIP2))
keep("compressed", "zip lzma", zipped(zipfile.ZIP_LZMA))
keep("compressed", "zip of a Mac", zipped(zipfile.ZIP_DEFLATED, {"t/": b"", "t/t.csv": text, "__MACOSX/t/._t.csv": b"x"}))
keep("compressed", "xz in gzip", gzip.compress(lzma.compress(text), mtime=0))
keep("compressed", "gzip in zip", zipped(zipfile.ZIP_STORED, {"t.csv.gz": gzip.compress(text, mtime=0)}))
keep("compressed", "zip in gzip", gzip.compress(zipped(zipfile.ZIP_DEFLATED), mtime=0))

# Arrays.
random = np.random.default_rng(0)
half = random.normal(size=(8, 3)).astype(np.float16)
half[0] = [6e-8, -6.1e-5, 65504]
keep("arrays", "float16", npy(half))
keep("arrays", "float16 big", npy(half.astype(">f2")))
keep("arrays", "float16 as float32", npy(half.astype(np.float32)))
names = np.array(["emu", "cat", "d\u00f6g", "cat", "emu", "", "cat", "emu"])
keep("arrays", "names U", npy(names))
keep("arrays", "names U big", npy(names.astype(">U5")))
keep("arrays", "names S", npy(np.array(["emu", "cat", "dog", "cat", "emu", "dog", "cat", "emu"], dtype="S5")))
keep("arrays", "bools", npy(np.array([True, False] * 4)))
keep("arrays", "objects", npy(np.array(["a", None], dtype=object)))
keep("arrays", "dates", npy(np.array(["2020-01-01"], dtype="M8[D]")))
x, y = random.normal(size=(8, 3)).astype(np.float32), np.arange(8) % 3
keep("arrays", "npz keras", npz(x_train=x, y_train=y, x_test=x[:4] * 2, y_test=y[:4]))
keep("arrays", "npz capitals", npz(np.savez_compressed, X_train=x, X_test=x[:4] * 2, y_train=y, y_test=y[:4]))
keep("arrays", "npz medmnist", npz(train_images=x, train_labels=y.reshape(8, 1), val_images=x[:2], val_labels=y[:2], test_images=x[:4] * 2, test_labels=y[:4].reshape(4, 1)))
keep("arrays", "npz names", npz(x_train=half, y_train=names, x_test=half[:3], y_test=names[:3]))
keep("arrays", "npz strangers", npz(x_train=half, y_train=names, x_test=half[:1], y_test=np.array(["gnu"])))
keep("arrays", "npz inputs alone", npz(x=x))
keep("arrays", "npz table", npz(measurements=np.column_stack([x, y])))

# Images: files, and the pixels (height, width, channels) that they have. Transparency is laid over white.
colour = random.integers(0, 256, (5, 7, 3)).astype(np.uint8)
grey = random.integers(0, 256, (5, 7)).astype(np.uint8)
alpha = random.integers(0, 256, (5, 7)).astype(np.uint8)


def over_white(pixels, alpha):
    pixels, alpha = pixels.astype(int), alpha.astype(int).reshape(alpha.shape + (1,) * (pixels.ndim - 2))
    return ((pixels * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def picture(name, image, pixels=None, format="PNG", **how):
    file = io.BytesIO()
    image.save(file, format, **how)
    keep("pictures", name, file.getvalue())
    if pixels is None:
        pixels = np.asarray(Image.open(io.BytesIO(file.getvalue())))
    pixels = pixels.reshape(pixels.shape[0], pixels.shape[1], -1)
    files.setdefault("pixels", {})[name] = {"shape": list(pixels.shape), "bytes": base64.b64encode(pixels.tobytes()).decode()}


image = Image.fromarray(colour)
picture("png colour", image)
picture("png grey", Image.fromarray(grey))
picture("png grey as colour", Image.fromarray(np.dstack([grey] * 3)))
picture("png alpha", Image.fromarray(np.dstack([colour, alpha])), over_white(colour, alpha))
picture("png grey alpha", Image.fromarray(np.dstack([grey, alpha])), over_white(grey, alpha))
palette = image.convert("P")
picture("png palette", palette, np.asarray(palette.convert("RGB")))
clear = (np.asarray(palette) != 3) * 255
picture("png palette clear", palette, over_white(np.asarray(palette.convert("RGB")), clear), transparency=3)
wide = random.integers(0, 65536, (5, 7)).astype(np.uint16)
picture("png 16 bits", Image.fromarray(wide), np.round(wide / 257).astype(np.uint8))
picture("png 1 bit", Image.fromarray(grey > 128), ((grey > 128) * 255).astype(np.uint8))
smooth = np.asarray(image.resize((40, 24), Image.Resampling.BICUBIC))
image = Image.fromarray(smooth)
for name, how in {"": {}, " 4:4:4": {"subsampling": 0}, " 4:2:2": {"subsampling": 1}, " progressive": {"progressive": True}}.items():
    picture(f"jpeg colour{name}", image, format="JPEG", quality=90, **how)
exif = Image.Exif()
exif[0x112] = 6
picture("jpeg turned", image, format="JPEG", exif=exif)
picture("jpeg grey", image.convert("L"), format="JPEG")
file = io.BytesIO()
image.convert("CMYK").save(file, "JPEG", quality=95)
cmyk = 255 - np.asarray(Image.open(io.BytesIO(file.getvalue()))).astype(int)
picture("jpeg cmyk", image.convert("CMYK"), ((cmyk[..., :3] * cmyk[..., 3:] + 127) // 255).astype(np.uint8), "JPEG", quality=95)


def taps(old, new):
    """For every new pixel {old pixel: weight}, as exact fractions."""
    result = []
    for j in range(new):
        weights = {}
        if new <= old:
            low, high = fractions.Fraction(j * old, new), fractions.Fraction((j + 1) * old, new)
            for i in range(old):
                cover = min(high, i + 1) - max(low, i)
                if cover > 0:
                    weights[i] = cover / (high - low)
        else:
            place = min(max(fractions.Fraction(2 * j + 1, 2) * old / new - fractions.Fraction(1, 2), 0), old - 1)
            left = int(place)
            weights[left] = 1 - (place - left)
            if place > left:
                weights[left + 1] = place - left
        result.append(weights)
    return result


def resized(pixels, height, width):
    rows, columns = taps(pixels.shape[0], height), taps(pixels.shape[1], width)
    result = np.zeros((height, width, pixels.shape[2]), np.uint8)
    for y in range(height):
        for x in range(width):
            for c in range(pixels.shape[2]):
                mean = sum(a * b * int(pixels[i, j, c]) for i, a in rows[y].items() for j, b in columns[x].items())
                result[y, x, c] = int(mean + fractions.Fraction(1, 2))
    return result


for height, width in [(5, 7), (2, 3), (1, 1), (4, 7), (11, 13), (3, 20), (10, 14)]:
    files.setdefault("resized", {})[f"{height}x{width}"] = base64.b64encode(resized(colour, height, width).tobytes()).decode()

# Kinds that are not read.
table = pd.DataFrame({"a": [1.5, 2, 3, 4], "b": [3, 1, 4, 1], "y": [1.0, 0, 1, 0]})
start = 4096
table.to_parquet("f.parquet")
keep("foreign", "parquet", content("f.parquet"), start)
table.to_feather("f.feather")
keep("foreign", "feather", content("f.feather"), start)
with pa.OSFile("f.arrows", "wb") as sink, pa.ipc.new_stream(sink, pa.Table.from_pandas(table).schema) as stream:
    stream.write_table(pa.Table.from_pandas(table))
keep("foreign", "arrow stream", content("f.arrows"), start)
table.to_orc("f.orc")
keep("foreign", "orc", content("f.orc"), start)
with open("f.avro", "wb") as file:
    schema = {"type": "record", "name": "t", "fields": [{"name": n, "type": "double"} for n in table]}
    fastavro.writer(file, fastavro.parse_schema(schema), table.to_dict("records"))
keep("foreign", "avro", content("f.avro"), start)
table.to_hdf("f.h5", key="t")
keep("foreign", "hdf5 of pandas", content("f.h5"), start)
with h5py.File("g.h5", "w") as file:
    file["x"], file["y"] = x, y
keep("foreign", "hdf5", content("g.h5"), start)
scipy.io.savemat("f.mat", {"x": x, "y": y})
keep("foreign", "matlab", content("f.mat"), start)
with h5py.File("g.mat", "w", userblock_size=512) as file:
    file["x"], file["y"] = x.T, y
with open("g.mat", "r+b") as file:
    file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Jan 01 00:00:00 2026 HDF5 schema 1.00 .".ljust(116))
keep("foreign", "matlab 7.3", content("g.mat"), start)
scipy.io.netcdf_file("f.nc", "w").close()
keep("foreign", "netcdf", content("f.nc"), start)
with sqlite3.connect("f.db") as connection:
    table.to_sql("t", connection, index=False)
keep("foreign", "sqlite", content("f.db"), start)
connection = duckdb.connect("f.duckdb")
frame = table
connection.sql("create table t as select * from frame")
connection.close()
keep("foreign", "duckdb", content("f.duckdb"), start)
table.to_excel("f.xlsx", index=False)
keep("foreign", "xlsx", content("f.xlsx"))
table.to_excel("f.ods", index=False, engine="odf")
keep("foreign", "ods", content("f.ods"))
import xlwt

book = xlwt.Workbook()
sheet = book.add_sheet("t")
for column, name in enumerate(table):
    sheet.write(0, column, name)
    for row, value in enumerate(table[name]):
        sheet.write(row + 1, column, float(value))
book.save("f.xls")
keep("foreign", "xls", content("f.xls"), start)
for protocol in range(6):
    keep("foreign", f"pickle {protocol}", pickle.dumps(table, protocol=protocol), start)
    keep("foreign", f"pickle {protocol} of a list", pickle.dumps([[1, 2], [3, 4]], protocol=protocol), start)
    keep("foreign", f"pickle {protocol} of a dictionary", pickle.dumps({"a": [1, 2]}, protocol=protocol), start)
    keep("foreign", f"pickle {protocol} of an array", pickle.dumps(x, protocol=protocol), start)
for name, how in {"joblib": 0, "joblib zlib": 3, "joblib xz": ("xz", 3)}.items():
    joblib.dump({"x": x, "y": y}, "f.joblib", compress=how)
    keep("foreign", name, content("f.joblib"), None if how else start)
pyreadr.write_rds("f.rds", table)
keep("foreign", "rds", content("f.rds"))
pyreadr.write_rds("g.rds", table, compress="gzip")
keep("foreign", "rds gzip", content("g.rds"))
pyreadr.write_rdata("f.RData", table, df_name="t")
keep("foreign", "rdata", content("f.RData"))
table.to_stata("f.dta", write_index=False)
keep("foreign", "stata", content("f.dta"), start)
table.to_stata("g.dta", write_index=False, version=118)
keep("foreign", "stata 118", content("g.dta"), start)
pyreadstat.write_sav(table, "f.sav")
keep("foreign", "spss", content("f.sav"), start)
pyreadstat.write_xport(table, "f.xpt", file_format_version=5)
keep("foreign", "sas transport", content("f.xpt"), start)
with tarfile.open("f.tar", "w") as archive:
    archive.add("f.dta")
keep("foreign", "tar", content("f.tar"), start)
with tarfile.open("f.tar.gz", "w:gz") as archive:
    archive.add("f.dta")
keep("foreign", "tar gzip", content("f.tar.gz"))
keep("foreign", "zip of two", zipped(zipfile.ZIP_DEFLATED, {"a.csv": text, "b.csv": text}))
keep("foreign", "pytorch", zipped(zipfile.ZIP_STORED, {"archive/data.pkl": b"\x80\x02.", "archive/version": b"3\n"}))
keep("foreign", "json", table.to_json().encode())
keep("foreign", "json records", table.to_json(orient="records", indent=2).encode())
keep("foreign", "json values", table.to_json(orient="values").encode())
keep("foreign", "json lines", table.to_json(orient="records", lines=True).encode())
keep("foreign", "arff", b"% comment\n@RELATION t\n@ATTRIBUTE a NUMERIC\n@ATTRIBUTE y {p,q}\n@DATA\n1,p\n2,q\n")
keep("foreign", "svmlight", b"+1 1:0.5 3:2 7:1e-3\n-1 2:1 3:4 # a comment\n+1 1:1\n")
keep("foreign", "svmlight ranking", b"# ranks\n2 qid:1 1:0.5 3:2\n1 qid:1 2:1 3:4\n")
keep("foreign", "html", b"\n<!DOCTYPE html>\n<html><head><title>data.csv at main</title></head></html>\n")
keep("foreign", "html after a comment", b"<!-- saved from url=(0014)about:internet -->\n<html>\n")
keep("foreign", "xhtml", b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">\n')
keep("foreign", "xml", b'<?xml version="1.0"?>\n<rows><row><a>1</a></row></rows>\n')
keep("foreign", "git lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
keep("foreign", "pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n")
keep("foreign", "elf", content("/bin/true"), 256)
for format in ["GIF", "TIFF", "BMP", "WEBP"]:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, format)
    keep("foreign", format.lower(), file.getvalue())
keep("foreign", "safetensors", (24).to_bytes(8, "little") + b'{"__metadata__":{"a":1}}')
keep("foreign", "7z", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(24))
keep("foreign", "binary", bytes(8) + bytes(random.integers(0, 256, 600).astype(np.uint8)))

with open(f"{HERE}/files.json", "w") as file:
    json.dump(files, file, indent=1)
    file.write("\n")
