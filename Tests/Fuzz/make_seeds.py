#!/usr/bin/env python3
"""Writes the seeds of Tests/Fuzz/corpus: small files of every form that the readers know, with the standard library.

    Tests/Fuzz/make_seeds.py
"""
import base64, gzip, io, json, os, struct, zipfile

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def seed(target, name, content):
    os.makedirs(f"{CORPUS}/{target}", exist_ok=True)
    with open(f"{CORPUS}/{target}/seed-{name}", "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)


def npy(descr, shape, data, order="False", version=1):
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + data


def npz(method=zipfile.ZIP_STORED, zip64=False, **arrays):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in arrays.items():
            entry = zipfile.ZipInfo(name + ".npy")
            entry.compress_type = method
            with archive.open(entry, "w", force_zip64=zip64) as stream:
                stream.write(data)
    return file.getvalue()


def idx(shape, data):
    return bytes([0, 0, 8, len(shape)]) + b"".join(struct.pack(">I", n) for n in shape) + bytes(data)


def safetensors(metadata, tensors):
    header, end = ({"__metadata__": metadata} if metadata else {}), 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + len(data)]}
        end += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values())


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def model(specification, loss, outputs, **tensors):
    metadata = {
        "format": "pt", "producer": "distsgd", "model": specification, "loss": loss, "inputs": "2", "outputs": str(outputs),
        "featureNames": '["a","b"]', "featureMeans": "[0.5,1]", "featureDeviations": "[2,1e-1]", "targetName": "y",
        "targetMean": "0.25", "targetDeviation": "2.0", "activation": "relu",
    }  # fmt: skip
    return safetensors(metadata, {name.replace("_", "."): tensor for name, tensor in tensors.items()})


seed("table", "header.csv", "a,b,y\n1,2.5,3e-1\n4,5,6\n-7,8.25,90000\n")
seed("table", "quotes.csv", '\ufeff"a ""q""",b,y\r\n1,"2.5",0\r\n"4",5,1\r\n\r\n7,8,2')
seed("table", "blanks.dat", "1 2\t3\n  4 5.123456789012345678 6\n7 8 9e-400\n")
seed("table", "words.tsv", "a\tb\ty\n1\tnan\t3\n\t-inf\tNULL\n")
seed("table", "semicolons.csv", "1;2;3\r4;5,5;6\r")
seed("table", "texts.csv", ",a,b,c,y\n0,x,1,2024-01-31,no\n1,y,,2023-12-01 10:30,yes\n2,z,3,NA,no\n")
seed("table", "comments.csv", "# one\n% two\nsep=|\n'a'|'b'|'y'|\n'1,5'|?|x|\n#\n-9|2|z|\n")
seed("table", "numbers.csv", "0,1,2\n1.5,2,x\n2.5,3,y\n3.5,1e9,x\n-1.5,?,x\n")
seed("table", "names.txt", '"a" "b" "y"\n"r 1" 1,5 2 3\n"r 2" 4 5\t6\n')
seed("table", "utf16.csv", "\ufeffa,b,y\n1,ä,3\n4,\U0001f600,6\n".encode("utf-16-le"))
inputs, classes = bytes(range(6)), bytes([0, 2, 1])
seed("npy", "bytes.npy", npy("|u1", "(3, 2)", inputs))
seed("npy", "fortran.npy", npy(">f4", "(2, 2, 2)", bytes(32), order="True"))
seed("npy", "long.npy", npy("<i8", "(3L,)", struct.pack("<3q", 0, 2, 1), version=2))
seed("npy", "doubles.npy", npy("<f8", "(3, 2)", struct.pack("<6d", 1, 2, 3, 4, 5, float("nan"))))
seed("npy", "records.npy", npy("x", "(1,)", b"\0" * 8).replace(b"'x'", b"[('a', '<f4'), ('b', '<i4')]", 1))
seed("npz", "stored.npz", npz(x=npy("|u1", "(3, 2)", inputs), y=npy("|u1", "(3,)", classes)))
seed("npz", "deflated.npz", npz(zipfile.ZIP_DEFLATED, X=npy("|u1", "(3, 2)", inputs), labels=npy("|u1", "(3,)", classes)))
seed("npz", "unnamed.npz", npz(first=npy("<f4", "(3, 2)", floats(*range(6))), second=npy("|u1", "(3, 1)", classes)))
seed("npz", "zip64.npz", npz(zip64=True, x=npy("|u1", "(3, 2)", inputs), y=npy("|u1", "(3,)", classes)))
seed("npz", "outside.npz", npz(**{"../../x": npy("|u1", "(3, 2)", inputs), "/y": npy("|u1", "(3,)", classes)}))
seed("npz", "bomb.npz", npz(zipfile.ZIP_DEFLATED, x=npy("|u1", "(3, 20000)", bytes(60000)), y=npy("|u1", "(3,)", classes)))
seed("npz", "twice.npz", npz(a=npy("|u1", "(3, 2)", inputs), b=npy("|u1", "(3, 2)", inputs)).replace(b"b.npy", b"a.npy"))
images, labels = idx([3, 2, 2], range(12)), idx([3], classes)
seed("idx", "images", images)
seed("idx", "labels", labels)
seed("idx", "images.gz", gzip.compress(images, mtime=0))
seed("idx", "labels.gz", gzip.compress(labels, mtime=0))
seed("idx", "members.gz", gzip.compress(images[:9], mtime=0) + gzip.compress(images[9:], mtime=0))
seed("idx", "bomb.gz", gzip.compress(idx([3, 100, 200], bytes(60000)), mtime=0))
weight, bias = ("F32", [1, 2], floats(1, -2)), ("F32", [1], floats(0.5))
seed("safetensors", "linear", model("linear", "squared", 1, **{"0_weight": weight, "0_bias": bias}))
seed("safetensors", "softmax", model("softmax", "cross-entropy", 3, **{
    "0_weight": ("F16", [3, 2], bytes(12)), "0_bias": ("BF16", [3], bytes(6))}))  # fmt: skip
seed("safetensors", "mlp", model("mlp:2", "squared", 1, **{
    "0_weight": ("F64", [2, 2], struct.pack("<4d", 1, 2, 3, 4)), "0_bias": ("F32", [2], floats(0, 1)),
    "2_weight": weight, "2_bias": bias}))  # fmt: skip
seed("safetensors", "empty", safetensors({}, {"a": ("F32", [0, 4], b""), "b": ("F32", [], floats(7))}))
seed("safetensors", "outputs", model("linear", "squared", 3, **{"0_weight": ("F32", [3, 2], bytes(24)), "0_bias": ("F32", [3], bytes(12))}))
seed("safetensors", "overlap", safetensors({}, {"a": ("F32", [2], floats(1, 2)), "b": ("F32", [1], floats(7))}).replace(b"[8,12]", b"[4,12]"))
state = {key: "3" for key in ("step", "epoch", "stepOfEpoch", "examples", "epochLossWeight", "metricsBytes", "timingsBytes")}
state |= {"checkpoint": "1", "trainingSeconds": "0.5", "epochLossSum": "1e-3", "blas": "OpenBLAS", "blasKernel": "Haswell"}
evaluation = {"evaluationExamples": "9", "evaluationSeconds": "1", "evaluationLoss": "nan", "evaluationAccuracy": "0.5"}
seed("checkpoint", "state", safetensors(state, {"0.weight": weight, "0.bias": bias}))
seed("checkpoint", "evaluated", safetensors(state | evaluation | {"--seed": "1", "--model": "mlp:2", "--standardize": "false"}, {"0.bias": bias}))
seed("checkpoint", "farthest", safetensors(state | {"epoch": "9223372036854775807", "checksum": "0123456789abcdef"}, {"0.bias": bias}))
seed("checkpoint", "zeros", safetensors(state | {"blas": "a\0b"}, {}))
seed("json", "values", '{"a": [1, -2.5e3, true, false, null], "b": {"c": "\\u00e9\\ud83d\\ude00\\n\\""}, "d": []}')
seed("json", "words", '{"model":"mlp:256,128","names":"[\\"a, b\\"]"}')
seed("json", "naturals", '{"shape":[0,12,9223372036854775807]}')
seed("json", "numbers", "[1,2.5,1e300,-0,9007199254740993]")
seed("json", "deep", "[" * 40 + "]" * 40)

seed("report", "metrics", "\n".join([
    '{"event":"run","ranks":2,"globalBatch":8,"stepsPerEpoch":2,"hosts":["a"],"serverOfRank":[0,0],"commandLine":["distsgd"]}',
    '{"event":"step","step":1,"epoch":1,"examples":8,"loss":0.5,"gradientNorm":1,"noiseScale":null,"seconds":0.1}',
    '{"event":"step","step":2,"epoch":1,"examples":16,"loss":null,"noiseScale":30,"seconds":0.2}',
    '{"event":"evaluation","set":"validation","epoch":1.0,"step":2,"examples":16,"seconds":0.2,"loss":0.25,"accuracy":1}',
    '{"event":"epoch","epoch":1,"examples":16,"seconds":0.2,"loss":0.5}',
    '{"event":"end","loss":0.25,"seconds":0.2,"classes":["a","b"],"confusion":[[1,0],[2,3]]}', '']))
seed("report", "half", '{"event":"run"}\n{"event":"step","step":1,"lo')
seed("report", "curves", 'run,global_batch,learning_rate,examples,seconds,loss\n"a, b",1,0.1,1,1,0.5\nc,2,0.1,1,1,inf\n'
     'd,1,1,1,1,2\ne,2,1,1,1,3\n')
seed("report", "bench", '{"bench":"step","ranks":2,"phases":[{"phase":"load","seconds":{"median":1,"p10":0.5,"p90":2}}]}')
seed("report", "timings", "epoch,host,rank,phase,seconds\n1,a,0,forward,0.5\n1,a,1,wait,0.25\n")
seed("report", "heatmap", "epoch,first_step,last_step,rank,own_seconds,wait_seconds\n1,1,5,0,0.5,0.1\n1,1,5,1,0.25,0.2\n")
seed("report", "waits", "epoch,rank,for_rank,count,seconds\n1,0,1,3,0.5\n1,70,1,3,0.5\n")
seed("report", "ranks", "epoch,host,rank,wall_seconds,cpu_seconds\n1,a,0,1,0.5\n")
seed("options", "mlp", "mlp:256,128\nstep:every=1epoch,factor=0.1\nlast\na,b\n0.2")
seed("options", "interval", "linear\n30s\n\n\n")
seed("options", "moment", "linear\n0.00001s\n\n\n")
seed("options", "linear", "linear\nstep:every=100steps,factor=0.5\n1\n2,3,4\n")
seed("options", "names", "softmax\nconstant\nc\nb,a\n1e-3")
seed("options", "longest", "mlp:1000000,1000000\nstep:every=9223372036854775807epoch,factor=1e308\n4\n3\n0.999999")
# What other programs wrote; see Tests/Reference/make_files.py.
with open(os.path.join(os.path.dirname(CORPUS), "..", "Reference", "files.json")) as file:
    others = json.load(file)
for group, target in {"compressed": "file", "arrays": "file", "foreign": "file", "pictures": "picture"}.items():
    for name, content in others[group].items():
        seed(target, name.replace(" ", "-"), base64.b64decode(content)[:4096])
for name, content in others["arrays"].items():
    seed("npz" if name.startswith("npz") else "npy", name.replace(" ", "-"), base64.b64decode(content)[:4096])
words = {
    "heartbeat": (1 << 32, 5, 100, 7 << 8 | 2, 0x3FF8000000000000, 0, 0, 0),
    "asks": (2 << 32, 9, 2**64 - 1, 2**64 - 1, 0x7FF0000000000000, 3, 0, 0),
    "end": (1 << 32, 2**64 - 1, 0, 0, 0, 0, 71, 0),
    "stranger": (2**64 - 1, 1, 0, 0, 0x7E37E43C8800759C, 1, 2**64 - 1, 0),
}
for name, values in words.items():
    seed("datagram", name, struct.pack("<8Q", *values))
