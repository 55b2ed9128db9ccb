// Kinds of files that are not read, recognised by their first bytes, and the command that makes one that is.
import System
import Text

/// A file of a kind that others read.
struct ForeignFile {
  /// What it is, as in `it is …`.
  let what: String
  let remedy: Remedy

  /// What the user can do.
  enum Remedy {
    /// A program of Python, which has its first argument's file in `f` and writes the file `o`, made with these packages.
    case python(String, needs: String, output: String)
    /// A command; `FILE` and `OUTPUT` stand for the names.
    case shell(String, output: String)
    case words(String)
  }

  init(_ what: String, _ remedy: Remedy) {
    self.what = what
    self.remedy = remedy
  }

  /// - Parameter path: the file's own; nil where a command cannot name it.
  func error(path: String) -> DistsgdError {
    let name = sourceName(path)
    // A name that would not be shown as it is cannot be copied out of the message.
    let isPlain = path != standardInputPath && path.utf8.count <= 200 && visible(path) == path
    let file = isPlain ? path : "FILE"
    let advice: String
    switch remedy {
    case .words(let words): advice = words
    case .shell(let command, let output):
      advice =
        "run "
        + command.split(separator: " ", omittingEmptySubsequences: false).map { word in
          word == "FILE" ? shellWord(file) : word == "OUTPUT" ? shellWord(beside(file, output)) : String(word)
        }.joined(separator: " ")
    case .python(let program, let needs, let output):
      advice =
        "run python3 -c 'import sys; f, o = sys.argv[1:]; \(program)' \(shellWord(file)) \(shellWord(beside(file, output)))  (after pip install \(needs))"
    }
    return DistsgdError(.badData, "\(name) is \(what), which is not read: \(advice)")
  }

  /// The file's name with another ending.
  private func beside(_ path: String, _ ending: String) -> String {
    let name = baseName(path)
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return path + ending }
    return String(path.dropLast(name[dot...].count)) + ending
  }
}

extension ForeignFile {
  /// A table that pandas reads.
  private static func pandas(_ what: String, _ read: String, needs: String = "") -> ForeignFile {
    ForeignFile(
      what,
      .python(
        "import pandas; pandas.\(read).to_csv(o, index=False)",
        needs: needs.isEmpty ? "pandas" : "pandas \(needs)", output: ".csv"))
  }

  /// Arrays by name, of which the inputs should be called x and the targets y.
  private static func arrays(_ what: String, _ program: String, needs: String) -> ForeignFile {
    ForeignFile(what, .python("import numpy; " + program, needs: "numpy " + needs, output: ".npz"))
  }

  private static let image = ForeignFile.Remedy.python(
    "from PIL import Image; Image.open(f).convert(\"RGB\").save(o)", needs: "pillow", output: ".png")

  static let parquet = pandas("a Parquet file", "read_parquet(f)", needs: "pyarrow")
  static let feather = pandas("an Arrow (Feather) file", "read_feather(f)", needs: "pyarrow")
  static let arrowStream = ForeignFile(
    "an Arrow stream",
    .python(
      "import pyarrow.ipc; pyarrow.ipc.open_stream(f).read_pandas().to_csv(o, index=False)",
      needs: "pandas pyarrow", output: ".csv"))
  static let orc = pandas("an ORC file", "read_orc(f)", needs: "pyarrow")
  static let avro = pandas(
    "an Avro file", "DataFrame(__import__(\"fastavro\").reader(open(f, \"rb\")))", needs: "fastavro")
  static let pandasHDF5 = pandas("an HDF5 file", "read_hdf(f)", needs: "tables")
  static let hdf5 = arrays(
    "an HDF5 file",
    "import h5py; h = h5py.File(f); numpy.savez(o, **{k: h[k][()] for k in h if hasattr(h[k], \"shape\")})",
    needs: "h5py")
  static let netCDF = ForeignFile(
    "a NetCDF file",
    .python(
      "import xarray; xarray.open_dataset(f).to_dataframe().reset_index().to_csv(o, index=False)",
      needs: "xarray scipy pandas", output: ".csv"))
  static let matlab73 = arrays(
    "a MATLAB file (v7.3)",
    "import h5py; h = h5py.File(f); numpy.savez(o, **{k: h[k][()].T for k in h if hasattr(h[k], \"shape\")})",
    needs: "h5py")
  static let matlab5 = arrays(
    "a MATLAB file",
    "import scipy.io; numpy.savez(o, **{k: v for k, v in scipy.io.loadmat(f).items() if k[0] != \"_\"})",
    needs: "scipy")
  static let sqlite = ForeignFile(
    "an SQLite database",
    .python(
      "import sqlite3, pandas; c = sqlite3.connect(f); t = c.execute(\"select name from sqlite_master where type = ?\", [\"table\"]).fetchone()[0]; pandas.read_sql(f\"select * from [{t}]\", c).to_csv(o, index=False)",
      needs: "pandas", output: ".csv"))
  static let duckDB = ForeignFile(
    "a DuckDB database",
    .python(
      "import duckdb; c = duckdb.connect(f, read_only=True); c.sql(\"from \" + c.execute(\"show tables\").fetchall()[0][0]).write_csv(o)",
      needs: "duckdb", output: ".csv"))
  static let excel = pandas("an Excel workbook", "read_excel(f)", needs: "openpyxl")
  static let oldExcel = pandas(
    "an old Excel workbook, or another file of Microsoft Office", "read_excel(f)", needs: "xlrd")
  static let openDocument = pandas("an OpenDocument spreadsheet", "read_excel(f)", needs: "odfpy")
  static let pickle = pandas(
    "a pickle of Python, which runs as a program when it is opened", "DataFrame(pandas.read_pickle(f))")
  static let joblib = pandas(
    "a pickle that joblib wrote, which runs as a program when it is opened",
    "DataFrame(__import__(\"joblib\").load(f))", needs: "joblib")
  static let pyTorch = ForeignFile(
    "a file of torch.save",
    .words("in Python, write its tensors with numpy.savez('data.npz', x=x.numpy(), y=y.numpy())"))
  static let safetensors = ForeignFile(
    "a safetensors file, which holds a model's parameters",
    .words("give data, and a model by --initialize or --model"))
  static let arff = ForeignFile(
    "an ARFF file",
    .python(
      "import pandas; from scipy.io import arff; d, m = arff.loadarff(f); pandas.DataFrame([[v.decode() if isinstance(v, bytes) else v for v in r] for r in d], columns=m.names()).to_csv(o, index=False)",
      needs: "pandas scipy", output: ".csv"))
  static let json = pandas("JSON", "read_json(f)")
  static let jsonLines = pandas("JSON, an object a line", "read_json(f, lines=True)")
  static let svmlight = arrays(
    "a table in svmlight's format",
    "from sklearn.datasets import load_svmlight_file; x, y = load_svmlight_file(f); numpy.savez(o, x=x.toarray(), y=y.astype(int) if (y == y.astype(int)).all() else y)",
    needs: "scikit-learn")
  static let html = ForeignFile(
    "a web page (HTML)",
    .words(
      "a server's page was saved in place of the file it shows; download the file itself (\"raw\", \"download\")"
    ))
  static let xml = pandas("XML", "read_xml(f)", needs: "lxml")
  static let gitLFS = ForeignFile(
    "a pointer of Git LFS, and not the data", .words("run git lfs pull in its repository"))
  static let pdf = ForeignFile(
    "a PDF document", .words("take its table out of it as CSV, by hand or by a program such as Tabula"))
  static let rds = ForeignFile(
    "a file of R's saveRDS",
    .python(
      "import pyreadr; next(iter(pyreadr.read_r(f).values())).to_csv(o, index=False)", needs: "pyreadr",
      output: ".csv"))
  static let rData = ForeignFile(
    "a file of R's save",
    .python(
      "import pyreadr; next(iter(pyreadr.read_r(f).values())).to_csv(o, index=False)", needs: "pyreadr",
      output: ".csv"))
  static let stata = pandas("a Stata file", "read_stata(f)")
  static let spss = pandas("an SPSS file", "read_spss(f)", needs: "pyreadstat")
  static let sas = pandas("a SAS file", "read_sas(f, format=\"sas7bdat\", encoding=\"infer\")")
  static let sasTransport = pandas(
    "a SAS transport file", "read_sas(f, format=\"xport\", encoding=\"utf-8\")")
  static let tar = ForeignFile(
    "a tar archive", .shell("tar -xf FILE and give one of its files", output: ""))
  static let sevenZip = ForeignFile(
    "a 7-Zip archive", .shell("7z x FILE and give one of its files", output: ""))
  static let rar = ForeignFile("a RAR archive", .shell("unrar x FILE and give one of its files", output: ""))
  static let archive = ForeignFile(
    "a zip archive of several files", .shell("unzip FILE and give one of its files", output: ""))
  static let program = ForeignFile("a program", .words("give a data file"))
  static let gif = ForeignFile("a GIF image", image)
  static let tiff = ForeignFile("a TIFF image", image)
  static let bmp = ForeignFile("a BMP image", image)
  static let webP = ForeignFile("a WebP image", image)
  static let binary = ForeignFile(
    "a binary file of no kind that is known here",
    .words("give a table as text (CSV), NumPy's .npy or .npz, IDX, PNG or JPEG"))
}
