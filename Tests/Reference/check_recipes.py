#!/usr/bin/env python3
"""Runs the command that distsgd names for each kind of file it does not read, and trains on what comes of it.

    Tests/Reference/check_recipes.py DISTSGD FOLDER

A kind is skipped, and that is said, where the packages that write it or that the command names are not installed
(pip install pandas pyarrow h5py tables scipy scikit-learn openpyxl xlwt xlrd odfpy joblib lxml pyreadr pyreadstat
duckdb fastavro pillow xarray). Ends with 1 when a command fails.
"""
import importlib, os, re, shutil, subprocess, sys

program, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
os.makedirs(folder, exist_ok=True)
os.chdir(folder)


def frame():
    import pandas

    return pandas.DataFrame({"a": [float(i % 7) for i in range(40)], "b": [float(i % 3) for i in range(40)], "y": [float(i) for i in range(40)]})


def arrays():
    import numpy

    x = numpy.arange(120, dtype=float).reshape(40, 3)
    return x, numpy.arange(40) % 4


def avro(path):
    import fastavro

    schema = {"type": "record", "name": "t", "fields": [{"name": n, "type": "double"} for n in ["a", "b", "y"]]}
    with open(path, "wb") as file:
        fastavro.writer(file, fastavro.parse_schema(schema), frame().to_dict("records"))


def arrow_stream(path):
    import pyarrow

    table = pyarrow.Table.from_pandas(frame())
    with pyarrow.OSFile(path, "wb") as sink, pyarrow.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)


def hdf5(path):
    import h5py

    with h5py.File(path, "w") as file:
        file["x"], file["y"] = arrays()


def matlab5(path):
    import scipy.io

    x, y = arrays()
    scipy.io.savemat(path, {"x": x, "y": y.reshape(-1, 1)})


def matlab73(path):
    import h5py

    with h5py.File(path, "w", userblock_size=512) as file:
        x, y = arrays()
        file["x"], file["y"] = x.T, y.reshape(1, -1)
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64 HDF5 schema 1.00 .".ljust(116))


def netcdf(path):
    import xarray

    xarray.Dataset.from_dataframe(frame()).to_netcdf(path, engine="scipy")


def sqlite(path):
    import sqlite3

    with sqlite3.connect(path) as connection:
        frame().to_sql("some table", connection, index=False)


def duck(path):
    import duckdb

    table = frame()
    with duckdb.connect(path) as connection:
        connection.register("v", table)
        connection.execute("create table t as select * from v")


def old_excel(path):
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("t")
    for column, name in enumerate(frame()):
        sheet.write(0, column, name)
        for row, value in enumerate(frame()[name]):
            sheet.write(row + 1, column, value)
    book.save(path)


def joblib(path):
    import joblib

    joblib.dump(frame(), path, compress=3)


def rds(path):
    import pyreadr

    pyreadr.write_rds(path, frame(), compress="gzip")


def rdata(path):
    import pyreadr

    pyreadr.write_rdata(path, frame(), df_name="t")


def spss(path):
    import pyreadstat

    pyreadstat.write_sav(frame(), path)


def sas_transport(path):
    import pyreadstat

    pyreadstat.write_xport(frame(), path, file_format_version=5)


def text(content):
    def write(path):
        with open(path, "w") as file:
            file.write(content)

    return write


def image(path):
    from PIL import Image

    Image.new("RGB", (3, 2), (1, 2, 3)).save(path)


rows = range(40)
kinds = {
    "it's $a.parquet": lambda path: frame().to_parquet(path),
    "t.feather": lambda path: frame().to_feather(path),
    "t.arrows": arrow_stream,
    "t.orc": lambda path: frame().to_orc(path),
    "t.avro": avro,
    "pandas.h5": lambda path: frame().to_hdf(path, key="t"),
    "arrays.h5": hdf5,
    "v5.mat": matlab5,
    "v7.mat": matlab73,
    "t.nc": netcdf,
    "t.db": sqlite,
    "t.duckdb": duck,
    "t.xlsx": lambda path: frame().to_excel(path, index=False),
    "t.ods": lambda path: frame().to_excel(path, index=False, engine="odf"),
    "t.xls": old_excel,
    "t.pkl": lambda path: frame().to_pickle(path),
    "0.pkl": lambda path: frame().to_pickle(path, protocol=0),
    "t.joblib": joblib,
    "t.rds": rds,
    "t.RData": rdata,
    "t.dta": lambda path: frame().to_stata(path, write_index=False),
    "t.sav": spss,
    "t.xpt": sas_transport,
    "t.json": lambda path: frame().to_json(path, orient="records"),
    "columns.json": lambda path: frame().to_json(path),
    "t.jsonl": lambda path: frame().to_json(path, orient="records", lines=True),
    "t.xml": lambda path: frame().to_xml(path, index=False),
    "t.arff": text("@relation t\n@attribute a numeric\n@attribute y {p,q}\n@data\n" + "".join(f"{i},{'pq'[i % 2]}\n" for i in rows)),
    "t.svm": text("".join(f"{i % 3} 1:{i} 3:{i % 5 + 1}\n" for i in rows)),
    "i.gif": image,
    "i.tiff": image,
    "i.bmp": image,
    "i.webp": image,
}
failed = tried = 0
for name, write in kinds.items():
    try:
        write(name)
    except ImportError as error:
        print(f"SKIPPED: {name}: {error}")
        continue
    told = subprocess.run([program, "--data", name, "--output", "run"], capture_output=True, text=True)
    lines = [line for line in told.stderr.splitlines() if line.startswith("distsgd: error: ")]
    match = re.search(r"which is not read: run (.*)  \(after pip install (.*)\)$", lines[0] if lines else "")
    if told.returncode != 65 or not match:
        print(f"FAILED: {name}: {told.stderr}")
        failed += 1
        continue
    command = match[1].replace("python3 ", f"'{sys.executable}' ", 1)
    made = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    if made.returncode and "ModuleNotFoundError" in made.stderr:
        print(f"SKIPPED: {name}: {made.stderr.splitlines()[-1]}")
        continue
    output = os.path.splitext(name)[0] + re.search(r"(\.\w+)'?$", match[1])[1]
    good = made.returncode == 0
    if good and not name.startswith("i."):
        shutil.rmtree("run", ignore_errors=True)
        trained = subprocess.run([program, "--data", output, "--quiet", "--global-batch", "10", "--lr", "1e-9", "--output", "run"], capture_output=True, text=True)
        good = trained.returncode == 0
        made = trained
    print(f"{'ok' if good else 'FAILED'}: {name}: {match[1] if good else match[1] + ': ' + made.stderr}")
    tried, failed = tried + 1, failed + (not good)
print(f"{tried} tried, {failed} failed")
sys.exit(1 if failed else 0)
